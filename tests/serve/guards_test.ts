import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hashSecret } from "../../serving/access/mod.ts";
import { readMetrics } from "../serving/guards/_prometheus.ts";
import { Connection, plain } from "../serving/_wire.ts";
import { within } from "../serving/_stack.ts";
import { assertFailed, ModelFiles, run, type Running, start } from "./_command.ts";

const SECRET = `sk-${"a1B2".repeat(12)}`;
const OTHER_SECRET = `sk-${"Zz9y".repeat(12)}`;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];
const KEYS = { CHATMODEL_API_KEYS: `ci=${SECRET}` };

/** Starts the command with the demo model. */
function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  return start(["--port=0", "--model=demo", ...args], { permissions: PERMISSIONS, env });
}

/** Asks for a chat, with a key or without. */
async function ask(
  url: string,
  { secret, content = "Hi", model }: { readonly secret?: string; readonly content?: string; readonly model?: string } =
    {},
): Promise<{ readonly status: number; readonly code: unknown; readonly headers: Headers }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
    body: JSON.stringify({ messages: [{ role: "user", content }], ...(model !== undefined && { model }) }),
  });
  const { error } = await response.json();
  return { status: response.status, code: error?.code, headers: response.headers };
}

/** Asks again and again until the answer has a status. */
async function until(status: number, asking: () => Promise<{ readonly status: number }>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if ((await asking()).status === status) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`No status ${status} in 10 s`);
}

function keysFile(...keys: readonly Record<string, unknown>[]): string {
  return JSON.stringify({ keys });
}

Deno.test("serve.ts asks for keys from CHATMODEL_API_KEYS, and shows none of them", async () => {
  await using server = serve([], KEYS);
  const url = await server.url();
  assertEquals((await ask(url)).code, "invalid_api_key");
  assertEquals((await ask(url, { secret: OTHER_SECRET })).status, 401);
  assertEquals((await ask(url, { secret: SECRET })).status, 200);
  assertStringIncludes(server.stdout, "authorization: Bearer YOUR_KEY");
  const { stdout, stderr } = await server.stop();
  assertEquals([stdout.includes(SECRET), stderr], [false, ""]);
});

Deno.test("serve.ts follows the file of --api-keys while it changes, and keeps the keys when it breaks", async () => {
  await using files = new ModelFiles();
  const path = `${files.folder}/keys.json`;
  const first = { name: "first", sha256: hashSecret(SECRET), models: ["demo"], requests_per_minute: 1000 };
  const second = { name: "second", sha256: hashSecret(OTHER_SECRET), models: ["other"] };
  await Deno.writeTextFile(path, keysFile(first));
  await using server = serve(["--api-keys", path]);
  const url = await server.url();
  const answer = await ask(url, { secret: SECRET });
  assertEquals([answer.status, answer.headers.get("x-ratelimit-limit-requests")], [200, "1000"]);
  await Deno.writeTextFile(path, keysFile(first, second));
  await until(403, () => ask(url, { secret: OTHER_SECRET }));
  await Deno.writeTextFile(path, "{");
  while (!server.stderr.includes("\n")) await ask(url);
  assertEquals((await ask(url, { secret: SECRET })).status, 200);
  await Deno.writeTextFile(path, keysFile(second));
  await until(401, () => ask(url, { secret: SECRET }));
  const { stderr } = await server.stop();
  assertEquals(stderr.split("\n").length, 2, stderr);
  assertStringIncludes(stderr, "warning: ");
  assertStringIncludes(stderr, "stay in force");
});

Deno.test("serve.ts refuses an address of everyone's without keys, and says what helps", async () => {
  for (const host of ["0.0.0.0", "::"]) {
    const ended = await run(["--model=demo", "--port=0", "--host", host], { permissions: PERMISSIONS });
    assertFailed(ended, 2, host, "keys create", "--api-keys", "CHATMODEL_API_KEYS", "--no-auth");
  }
});

Deno.test("serve.ts serves an address of everyone's with keys; without them it warns where --no-auth insists", async () => {
  await using guarded = serve(["--host=0.0.0.0"], KEYS);
  const url = await guarded.url();
  assertEquals((await ask(url)).status, 401);
  assertEquals((await ask(url, { secret: SECRET })).status, 200);
  // It can be asked by any name.
  using connection = await Connection.open(Number(new URL(url).port));
  await connection.send(plain("GET /ping").replace("localhost", "chat.example.com"));
  assertEquals((await connection.answer()).status, 200);
  assertEquals((await guarded.stop()).stderr, "");
  await using open = serve(["--host=0.0.0.0", "--no-auth"]);
  assertEquals((await ask(await open.url())).status, 200);
  assertStringIncludes((await open.stop()).stderr, "asks for no key");
});

Deno.test("serve.ts serves this machine's names and those of --allow-host", async () => {
  await using server = serve(["--allow-host=chat.example.com"]);
  const { port } = new URL(await server.url());
  for (const [host, status] of [["localhost", 200], ["Chat.Example.com:80", 200], ["evil.test", 403]] as const) {
    using connection = await Connection.open(Number(port));
    await connection.send(plain("GET /ping").replace("localhost", host));
    assertEquals([host, (await connection.answer()).status], [host, status]);
  }
  await server.stop();
});

Deno.test("serve.ts refuses flags that stand against each other, and values that make no sense", async () => {
  await using files = new ModelFiles();
  const path = `${files.folder}/keys.json`;
  await Deno.writeTextFile(path, keysFile({ name: "first", sha256: hashSecret(SECRET) }));
  const cases:
    readonly (readonly [args: readonly string[], env: Record<string, string>, ...words: readonly string[]])[] = [
      [["--no-auth"], KEYS, "--no-auth", "CHATMODEL_API_KEYS"],
      [["--no-auth", "--api-keys", path], {}, "--no-auth", "--api-keys"],
      [["--api-keys", path], KEYS, "--api-keys", "CHATMODEL_API_KEYS"],
      [["--api-keys="], {}, "--api-keys"],
      [["--allow-host=https://a.test"], {}, "--allow-host"],
      [["--max-body-size=0"], {}, "--max-body-size"],
      [["--max-concurrency=0"], {}, "--max-concurrency"],
      [["--max-queue=-1"], {}, "--max-queue"],
      [["--queue-timeout=1.5"], {}, "--queue-timeout"],
      [["--drain-timeout=never"], {}, "--drain-timeout"],
      [["--metrics-port=65536"], {}, "--metrics-port"],
      [["--redis=http://127.0.0.1"], {}, "--redis"],
      [["--redis-lost=maybe"], {}, "--redis-lost"],
    ];
  for (const [args, env, ...words] of cases) {
    assertFailed(await run(["--model=demo", "--port=0", ...args], { permissions: PERMISSIONS, env }), 2, ...words);
  }
  const failing:
    readonly (readonly [args: readonly string[], env: Record<string, string>, ...words: readonly string[]])[] = [
      [["--api-keys", `${files.folder}/none.json`], {}, "none.json", "keys create"],
      [[], { CHATMODEL_API_KEYS: "ci=short" }, "CHATMODEL_API_KEYS", "16"],
      [[], { CHATMODEL_API_KEYS: "" }, "CHATMODEL_API_KEYS", "empty"],
      [["--access-log", files.folder], {}, "access log"],
    ];
  for (const [args, env, ...words] of failing) {
    const ended = await run(["--model=demo", "--port=0", ...args], { permissions: PERMISSIONS, env });
    assertFailed(ended, 1, ...words);
    assertEquals(ended.stderr.includes("ci=short"), false);
  }
});

Deno.test("serve.ts writes a line for each request to --access-log, the last ones too when it stops", async () => {
  await using files = new ModelFiles();
  const path = `${files.folder}/access.log`;
  await using server = serve(["--access-log", path], KEYS);
  const url = await server.url();
  const prompt = "No-one-may-see-this";
  await ask(url, { secret: SECRET, content: prompt });
  await ask(url, { content: prompt });
  await server.stop();
  const text = await Deno.readTextFile(path);
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ status, model, key, error_code }) => [status, model, key, error_code]), [
    [200, "demo", "ci", undefined],
    [401, undefined, undefined, "invalid_api_key"],
  ]);
  assert(lines[0].prompt_tokens > 0 && lines[0].completion_tokens > 0, text);
  assertEquals([text.includes(prompt), text.includes(SECRET)], [false, false]);
  assertEquals(server.stdout.includes(prompt), false);
});

Deno.test("serve.ts writes the access log to the standard output when it is told so", async () => {
  await using server = serve(["--access-log=-"]);
  const url = await server.url();
  await ask(url);
  const { stdout } = await server.stop();
  assertEquals(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "").route, "/chat/completions");
});

Deno.test("serve.ts goes on when the disk is full, and says once that lines are lost", async () => {
  // Deno lets no one at devices but who may do all.
  await using server = start(["--port=0", "--model=demo", "--access-log=/dev/full"], { permissions: ["-A"] });
  const url = await server.url();
  for (let i = 0; i < 4; i++) {
    assertEquals((await ask(url)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const { stderr } = await server.stop();
  assertEquals(stderr.split("\n").length, 2, stderr);
  assertStringIncludes(stderr, "warning: Cannot write the access log, lines are lost: ");
});

Deno.test("serve.ts tells metrics on --metrics-port without a key", async () => {
  await using server = serve(["--metrics-port=0", "--max-concurrency=5"], KEYS);
  const url = await server.url();
  await ask(url, { secret: SECRET });
  const [, metrics = ""] = /^Metrics: (http:\S+)$/m.exec(server.stdout) ?? [];
  const { samples } = readMetrics(await (await fetch(metrics)).text());
  const total = samples.filter(({ name }) => name === "chat_model_requests_total");
  assertEquals(total.map(({ labels, value }) => [labels["model"], value]), [["demo", 1]]);
  assertEquals(samples.some(({ name }) => name === "chat_model_queue_length"), true);
  const own = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${SECRET}` } });
  assertEquals([own.status, (await own.json()).error.code], [404, "unknown_url"]);
  await server.stop();
});

Deno.test("serve.ts limits what runs and waits by --max-concurrency and --max-queue, and bodies by --max-body-size", async () => {
  await using files = new ModelFiles();
  const path = files.write(
    "slow.js",
    `export default class extends ChatModel {
      async predict({ signal }) { await new Promise((go, no) => { setTimeout(go, 1000); signal.onabort = () => no(signal.reason); }); return "Hi"; }
    }`,
  );
  const flags = ["--max-concurrency=1", "--max-queue=1", "--max-body-size=200"];
  await using server = start(["--port=0", "--model", path, ...flags], { permissions: PERMISSIONS });
  const url = await server.url();
  const answers = await within(Promise.all(Array.from({ length: 5 }, () => ask(url))), "answers", 20_000);
  assertEquals(answers.map(({ status }) => status).sort(), [200, 200, 503, 503, 503]);
  assert(answers.filter(({ status }) => status === 503).every(({ headers }) => headers.has("retry-after-ms")));
  assertEquals((await ask(url, { content: "x".repeat(200) })).code, "request_too_large");
  await server.stop();
});

Deno.test("serve.ts serves this machine without keys where it may not read CHATMODEL_API_KEYS", async () => {
  await using server = start(["--port=0", "--model=demo"], { env: KEYS });
  // Loopback, and not allowed to read the variable: as if it were not there.
  assertEquals((await ask(await server.url())).status, 200);
  await server.stop();
});

Deno.test("serve.ts says that it drains, to who asks whether it is ready after SIGTERM", async () => {
  await using server = serve([]);
  const url = await server.url();
  using kept = await Connection.open(Number(new URL(url).port));
  await kept.send(plain("GET /health/ready"));
  assertEquals((await kept.answer()).body, '{"status":"ready"}');
  server.kill("SIGTERM");
  await until(503, async () => {
    const response = await fetch(`${url}/health/ready`, { headers: { connection: "close" } });
    await response.body?.cancel();
    return response;
  });
  assertEquals((await server.end()).code, 0);
});
