import { assert, assertEquals, assertMatch } from "@std/assert";
import configuration from "../../deno.json" with { type: "json" };
import { assertFailed, chat, ModelFiles, modelNames, run, start } from "./_command.ts";

const GOOD = `export default class extends ChatModel { predict() { return "Hello from the file"; } }`;

Deno.test("serve.ts --help and --version print and end, without any permission", async () => {
  for (const flag of ["--help", "-h"]) {
    const { code, stdout, stderr } = await run([flag], { permissions: [] });
    assertEquals([code, stderr], [0, ""]);
    for (const word of ["Usage:", "--model", "--port", "--host", "--cors-origin", "OLLAMA_HOST"]) {
      assert(stdout.includes(word), stdout);
    }
  }
  const { code, stdout, stderr } = await run(["--version"], { permissions: [] });
  assertEquals([code, stdout, stderr], [0, `${configuration.version}\n`, ""]);
});

const WRONG_USAGE: readonly [args: readonly string[], ...words: readonly string[]][] = [
  [["--nope"], "--nope", "--help"],
  [["model.ts"], "model.ts", "--help"],
  [["--port", "x"], "--port", '"x"', "65535"],
  [["--port", "65536"], "--port", '"65536"'],
  [["--port=-1"], "--port", '"-1"'],
  [["--port"], "--port"],
  [["--timeout", "1.5"], "--timeout", '"1.5"'],
  [["--timeout", "-1"], "--timeout", "must have a value"],
  [["--pull"], "--pull", "needs a model"],
  [["--pull", "--model=demo"], "--pull", "ollama:llama3.2:1b"],
  [["--idle-timeout", "1s"], "--idle-timeout", '"1s"'],
  [["--first-token-timeout=2147483648"], "--first-token-timeout", "2147483647"],
  [["--host="], "--host"],
  [["--cors-origin", "example.com"], "--cors-origin", "https://example.com"],
  [["--model="], "--model"],
  [["--model", "ollama:"], "ollama:", "name is missing"],
  [["--model", "demo", "--model", "demo"], '"demo"', "other=demo"],
  [["--model", "a=demo", "--model", "a=ollama:x"], '"a"', "another name"],
];

for (const [args, ...words] of WRONG_USAGE) {
  Deno.test(`serve.ts ${args.join(" ")} is wrong usage: one line, exit code 2`, async () => {
    assertFailed(await run(args), 2, ...words);
  });
}

const BAD_FILES: readonly [name: string, code: string, ...words: readonly string[]][] = [
  ["has no model", "export const answer = 42;", "no model", '"answer"', "default", "setModel"],
  ["exports nothing", "", "no model", "default"],
  ["exports what is no model", "export default { predict() {} };", "no model", "default"],
  ["has a syntax error", "export default class extends ChatModel {\n  predict( {", "SyntaxError", ":3:"],
  ["imports what is not there", 'import "./nowhere.ts";', "nowhere.ts"],
  ["throws", 'throw new Error("no luck\\nsecond line");', "cannot be imported: no luck", ":2:"],
  ["throws nothing", "throw undefined;", "cannot be imported"],
  [
    "has a constructor that throws",
    'export default class extends ChatModel { constructor() { super(); throw new Error("no luck"); } predict() {} }',
    "constructor",
    "no luck",
    ":2:",
  ],
  [
    "has a loadContext that throws",
    'export default class extends ChatModel { loadContext() { throw new Error("no luck\\nnone"); } predict() {} }',
    "no luck",
    ":2:",
  ],
  [
    "has a loadContext that rejects",
    'export default class extends ChatModel { async loadContext() { throw new Error("no luck"); } predict() {} }',
    "no luck",
  ],
  ["answers in no way", "export default class Silent extends ChatModel {}", "Silent", "neither"],
  ["sets what is no model", "setModel({});", "Cannot set model"],
];

for (const [name, code, ...words] of BAD_FILES) {
  Deno.test(`serve.ts with a file that ${name} fails: one line, exit code 1`, async () => {
    await using files = new ModelFiles();
    const path = files.write("model.ts", code);
    assertFailed(await run(["--port=0", "--model", path]), 1, "Cannot load model", "model.ts", ...words);
  });
}

Deno.test("serve.ts with a file that is missing or a folder without a model fails: one line, exit code 1", async () => {
  await using files = new ModelFiles();
  assertFailed(await run(["--model", `${files.folder}/nope.ts`]), 1, "nope.ts", "no such file", "ollama:NAME");
  assertFailed(await run(["--model", files.folder]), 1, "Cannot load model", files.folder, 'no file "MLmodel"');
});

Deno.test("serve.ts on a port that is in use fails: one line, exit code 1", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const port = String(listener.addr.port);
  for (const args of [["--model", "demo"], []]) {
    assertFailed(await run([...args, "--port", port]), 1, `127.0.0.1:${port}`, "in use", "--port 0");
  }
});

Deno.test("serve.ts on an address that this machine has not fails: one line, exit code 1", async () => {
  assertFailed(
    await run(["--model", "demo", "--host", "192.0.2.1", "--no-auth", "--port=0"]),
    1,
    "192.0.2.1",
    "--host",
  );
});

Deno.test("serve.ts without --allow-net fails: one line, exit code 1", async () => {
  const permissions = ["--allow-read", "--allow-env=OLLAMA_HOST,OLLAMA_API_KEY"];
  for (const args of [["--model", "demo"], []]) {
    assertFailed(await run([...args, "--port=0"], { permissions }), 1, "--allow-net");
  }
});

Deno.test("serve.ts without --allow-read cannot serve a file: one line, exit code 1", async () => {
  await using files = new ModelFiles();
  const path = files.write("model.ts", GOOD);
  assertFailed(await run(["--model", path], { permissions: ["--allow-net"] }), 1, "model.ts", "--allow-read");
});

Deno.test("serve.ts serves a file from another working directory, under the file's name", async () => {
  await using files = new ModelFiles();
  files.write("my.model.ts", GOOD);
  await using server = start(["--port=0", "--model", "./my.model.ts"], { cwd: files.folder });
  const url = await server.url();
  assertEquals(await modelNames(url), ["my.model"]);
  assertEquals(await chat(url), "Hello from the file");
  const { stdout, stderr } = await server.stop();
  assertEquals(stderr, "");
  assert(stdout.includes("(models: my.model)"), stdout);
});

Deno.test("serve.ts serves one file under several names, whichever way it names its model", async () => {
  await using files = new ModelFiles();
  const exported = files.write("exported.js", GOOD);
  const named = files.write(
    "named.js",
    `setModel(new (class extends ChatModel { *predictStream() { yield "set"; } })());`,
  );
  await using server = start(
    ["--port=0", "--model", named, "--model", `b=${exported}`, "--model", exported, "--model", `again=${named}`],
  );
  const url = await server.url();
  assertEquals(await modelNames(url), ["named", "b", "exported", "again"]);
  assertEquals(await chat(url), "set");
  assertEquals(await chat(url, { model: "again" }), "set");
  for (const model of ["b", "exported"]) assertEquals(await chat(url, { model }), "Hello from the file");
  await server.stop();
});

Deno.test("serve.ts prints the real address, and a curl line that works", async () => {
  await using files = new ModelFiles();
  const path = files.write("it's.ts", GOOD);
  await using server = start(["--port=0", "--model", path]);
  const url = await server.url();
  assert(new URL(url).port !== "0");
  const [line = ""] = /^ {2}curl .*$/m.exec(server.stdout) ?? [];
  assert(line.includes(`${url}/v1/chat/completions`), server.stdout);
  const text = await hasCurl() ? await shell(line) : await fetchAs(line);
  assertMatch(text, /Hello from the file/);
  assert(text.endsWith("data: [DONE]\n\n"), text);
  await server.stop();
});

Deno.test("serve.ts warns when others can reach it, and prints an address that works", async () => {
  await using server = start(["--port=0", "--host=0.0.0.0", "--no-auth", "--model=demo"]);
  const url = await server.url();
  assertEquals(new URL(url).hostname, "127.0.0.1");
  assert((await chat(url)).length > 0);
  // Under any name: whoever reaches it by another is no page that has its name point here.
  assertEquals(await statusOf(url, "chat.example.com"), 200);
  const { stderr } = await server.stop();
  assertMatch(stderr, /^warning: .*no key.*\n$/);
});

Deno.test("serve.ts on an address of this machine is asked under names of this machine, and those allowed", async () => {
  await using server = start(["--port=0", "--model=demo", "--allow-host=chat.example.com"]);
  const url = await server.url();
  for (const [host, status] of [["localhost", 200], ["chat.example.com:1", 200], ["evil.example.com", 403]] as const) {
    assertEquals(await statusOf(url, host), status, host);
  }
  await server.stop();
});

/** Status of an answer to whoever asks under a name. */
async function statusOf(url: string, host: string): Promise<number> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(`GET /v1/models HTTP/1.0\r\nhost: ${host}\r\n\r\n`));
  const [line] = (await new Response(connection.readable).text()).split("\r\n");
  return Number(line?.split(" ")[1]);
}

Deno.test("serve.ts takes time limits and origins from the command line", async () => {
  await using files = new ModelFiles();
  const path = files.write(
    "slow.ts",
    "export default class extends ChatModel { predict() { return new Promise(() => {}); } }",
  );
  await using server = start(
    ["--port=0", "--model", path, "--first-token-timeout=20", "--cors-origin=https://app.example"],
  );
  const url = await server.url();
  const body = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });
  for (const [origin, status] of [["https://app.example", 504], ["https://evil.example", 403]] as const) {
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", body, headers: { origin } });
    assertEquals(response.status, status, await response.text());
  }
  await server.stop();
});

async function hasCurl(): Promise<boolean> {
  try {
    return (await new Deno.Command("curl", { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function shell(line: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line], stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

async function fetchAs(line: string): Promise<string> {
  const [, url = "", body = ""] = /curl -N (\S+) -d '(.*)'$/.exec(line) ?? [];
  return await (await fetch(url, { method: "POST", body: body.replaceAll(String.raw`'\''`, "'") })).text();
}
