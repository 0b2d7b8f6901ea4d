/** What is in `deploy/` and the command's flags must go together. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import { HELP, parseFlags } from "../../serving/_flags.ts";
import { VERSION } from "../../_version.ts";

const FOLDER = new URL("../../deploy/", import.meta.url);

/** Milliseconds that a server needs after its drain time: until clients have taken the ends, and all is written. */
const LAST_STEPS = 3_000;

function read(name: string): string {
  return Deno.readTextFileSync(new URL(name, FOLDER));
}

/** A member of a document, however deep. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, key) => typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined,
    value,
  );
}

function textsAt(value: unknown, ...path: readonly (string | number)[]): string[] {
  const found = at(value, ...path);
  assert(Array.isArray(found) && found.every((text) => typeof text === "string"), path.join("."));
  return found;
}

/** The arguments of an instruction in the form of JSON. */
function instruction(name: string): string[] {
  const [, list = "[]"] = new RegExp(`^${name} (\\[[^\\]]*\\])`, "m").exec(read("Dockerfile").replaceAll("\\\n", "")) ??
    [];
  return textsAt(JSON.parse(list));
}

const compose = parse(read("compose.yaml"));
const [deployment, service] = read("kubernetes.yaml").split("\n---\n").map((text) => parse(text));
const container = at(deployment, "spec", "template", "spec", "containers", 0);
const entry = instruction("ENTRYPOINT");
const ownFlags = entry.slice(entry.indexOf("serve.ts") + 1);

Deno.test("The Dockerfile runs serve.ts with the permissions that its help names, and flags that it has", () => {
  const permissions = entry.filter((argument) => argument.startsWith("--allow-"));
  for (const permission of permissions) assertStringIncludes(HELP.split("\n").slice(0, 4).join("\n"), permission);
  assertEquals(permissions.length, 3);
  const { host, port, metricsPort, accessLog } = parseFlags([...ownFlags, ...instruction("CMD")]);
  assertEquals([host, port, metricsPort, accessLog], ["0.0.0.0", 8000, 9090, "-"]);
  assertStringIncludes(read("Dockerfile"), `EXPOSE ${port} ${metricsPort}`);
  assertStringIncludes(read("Dockerfile"), `http://127.0.0.1:${port}/health/live`);
});

Deno.test("compose.yaml gives the server flags that it has, and longer to stop than it takes", () => {
  const { drainTimeout } = parseFlags([...ownFlags, ...textsAt(compose, "services", "chat-model", "command")]);
  const grace = Number.parseInt(String(at(compose, "services", "chat-model", "stop_grace_period"))) * 1000;
  assert(grace >= drainTimeout + LAST_STEPS, `${grace} ms`);
});

Deno.test("kubernetes.yaml gives the server flags that it has, probes its routes, and leaves it long enough to stop", () => {
  const { drainTimeout, port, metricsPort, apiKeysFile } = parseFlags([...ownFlags, ...textsAt(container, "args")]);
  const ports = [0, 1].map((i) => at(container, "ports", i, "containerPort"));
  assertEquals(ports, [port, metricsPort]);
  assertEquals(
    at(deployment, "spec", "template", "metadata", "annotations", "prometheus.io/port"),
    String(metricsPort),
  );
  assert(apiKeysFile?.startsWith(`${at(container, "volumeMounts", 0, "mountPath")}/`));
  for (
    const [probe, path] of [
      ["startupProbe", "/health/live"],
      ["livenessProbe", "/health/live"],
      ["readinessProbe", "/health/ready"],
    ] as const
  ) {
    assertEquals(at(container, probe, "httpGet", "path"), path);
  }
  const grace = Number(at(deployment, "spec", "template", "spec", "terminationGracePeriodSeconds")) * 1000;
  const wait = Number(at(container, "lifecycle", "preStop", "sleep", "seconds")) * 1000;
  assert(grace >= wait + drainTimeout + LAST_STEPS, `${grace} ms`);
  assertEquals(at(container, "image"), `chat-model:${VERSION}`);
  assertEquals(at(service, "spec", "ports", 0, "targetPort"), "http");
});
