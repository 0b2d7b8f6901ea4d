/** Models that change while they are served, that are kept apart, and that have limits of their own. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertFailed, ModelFiles, run, start } from "./_command.ts";

const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-env"];

async function ask(url: string, model?: string): Promise<{ readonly status: number; readonly text: string }> {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", body });
  return { status: response.status, text: await response.text() };
}

function answering(text: string): string {
  return `export default class extends ChatModel { predict() { return "${text}"; } }`;
}

Deno.test("serve.ts --watch takes up a changed file, keeps the old one if the new is broken, and says so", async () => {
  await using files = new ModelFiles();
  const path = files.write("model.js", answering("one"));
  await using server = start(["--port=0", "--watch", "--model", path, "--model=demo"]);
  const url = await server.url();
  assertStringIncludes((await ask(url)).text, '"one"');
  files.write("model.js", "export default 5;");
  await server.says("Cannot");
  assertStringIncludes((await ask(url)).text, '"one"');
  files.write("model.js", answering("two"));
  while (!(await ask(url)).text.includes('"two"')) await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals((await ask(url, "demo")).status, 200);
  await server.stop();
});

Deno.test("serve.ts --sandbox lets a model do only what it may, and lives on", async () => {
  await using files = new ModelFiles();
  const path = files.write(
    "nosy.js",
    `export default class extends ChatModel {
      async predict() { return await Deno.readTextFile("/etc/passwd"); }
    }`,
  );
  const good = files.write("good.js", answering("fine"));
  const args = ["--port=0", "--sandbox", "--model", path, "--model", good];
  await using server = start(args, { permissions: ["-A"] });
  const url = await server.url();
  const refused = await ask(url);
  assertEquals(refused.status, 500);
  assertStringIncludes(refused.text, "permission_denied");
  assert(!refused.text.includes("root:"));
  assertStringIncludes((await ask(url, "good")).text, '"fine"');
  await server.stop();
});

Deno.test("serve.ts takes limits of single models", async () => {
  await using files = new ModelFiles();
  const slow = "export default class extends ChatModel { predict() { return new Promise(() => {}); } }";
  const args = ["--model", `a=${files.write("a.js", slow)}`, "--model", `b=${files.write("b.js", slow)}`];
  await using server = start(["--port=0", ...args, "--first-token-timeout=60000", "--first-token-timeout=b=30"]);
  const url = await server.url();
  const first = ask(url, "a").catch(() => undefined);
  const { status, text } = await ask(url, "b");
  assertEquals(status, 504, text);
  assertStringIncludes(text, "within 30 ms");
  server.kill("SIGKILL");
  await first;
});

for (
  const [args, ...words] of [
    [["--watch"], "--watch", "--model"],
    [["--sandbox"], "--sandbox", "--model"],
    [["--timeout=demo=5"], "--model"],
    [["--model=demo", "--timeout=other=5"], "other", "demo"],
    [["--model=demo", "--timeout=5", "--timeout=6"], "--timeout", "twice"],
    [["--model=demo", "--max-concurrency=demo=0"], "--max-concurrency", "from 1"],
    [["--model=demo", "--max-queue=x"], "--max-queue", "NAME=NUMBER"],
    [["--model=mod.ts", "--watch", "--sandbox"], "mod.ts", "both"],
  ] as const
) {
  Deno.test(`serve.ts ${args.join(" ")} fails: one line, exit code 2`, async () => {
    assertFailed(await run(args, { permissions: PERMISSIONS }), 2, ...words);
  });
}
