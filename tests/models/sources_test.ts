import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import configuration from "../../deno.json" with { type: "json" };
import { packageSources } from "../../models/_sources.ts";
import { ChatModelError } from "../../mod.ts";
import { makeFolder, runDeno } from "./_folder.ts";

const ROOT = join(import.meta.dirname ?? "", "../..");

const CONFIG = JSON.stringify({
  imports: { "valibot": "npm:valibot@^1.5.0", "utils/": "./utils/", "#prompt": "./prompts/prompt.ts" },
  lock: false,
});

Deno.test("packageSources() rewrites each way to import a mapped name and not one byte else", async () => {
  const body = [
    '// é😀 "valibot" import "valibot";',
    '/* é😀👩‍👧e\u0301\u2028\r\t\uFEFF */ import { a } from "utils/a.ts"; import { string } from "valibot";',
    "import { number } from 'valibot';",
    'import type { BaseIssue } from "valibot"; import type { A } from "utils/a.ts";',
    'export * as all from "valibot"; export { a as b } from "utils/a.ts";',
    'import data from "./data.json" with { type: "json" };',
    'import { prompt } from "#prompt";',
    'import fs from "node:fs"; import path from "path"; import "data:text/javascript,1";',
    'export const lazy = [() => import("valibot"), () => import(`valibot`), () => import(`utils/a.ts`)];',
    'export type Issue = import("valibot").BaseIssue<unknown> | BaseIssue<A>;',
    'export const text = `import "valibot"; é ${"valibot"}`; const pattern = /"valibot"/;',
    "export default [a, string, number, data, prompt, fs, path, pattern];",
  ];
  const source = "\uFEFF" + body.join("\r\n");
  await using author = await makeFolder({
    "deno.json": CONFIG,
    "models/model.ts": source,
    "models/data.json": '{ "one": 1 }\n',
    "utils/a.ts": "export const a = 1;\nexport type A = 1;\n",
    "prompts/prompt.ts": '// @deno-types="./types.d.ts"\nexport { prompt } from "./prompt.js";\n',
    "prompts/types.d.ts": "export const prompt: string;\n",
    "prompts/prompt.js": 'export const prompt = "Be kind";\n',
    "unused.ts": "export {};\n",
  });
  await using folder = await makeFolder({});

  const result = await packageSources(join(author.path, "models/model.ts"), folder.path);

  assertEquals(result.modelPath, "src/models/model.ts");
  assertEquals(result.files.map((file) => file.path), [
    "src/models/data.json",
    "src/models/model.ts",
    "src/prompts/prompt.js",
    "src/prompts/prompt.ts",
    "src/prompts/types.d.ts",
    "src/utils/a.ts",
  ]);
  assertEquals(result.imports, ["npm:valibot@^1.5.0"]);
  assertEquals(result.warnings, []);
  assertEquals(result.packageVersion, configuration.version);
  assertEquals(result.denoVersion, Deno.version.deno);
  const expected = body.map((line, index) => {
    if (index === 0 || index === 10) return line;
    return line.replace(/(["'`])valibot\1/g, "$1npm:valibot@^1.5.0$1").replaceAll("utils/a.ts", "../utils/a.ts")
      .replace("#prompt", "../prompts/prompt.ts").replace('"path"', '"node:path"');
  });
  // Read by hand: readTextFile leaves out the byte order mark.
  const written = await Deno.readFile(join(folder.path, result.modelPath));
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(written);
  assertEquals(text, "\uFEFF" + expected.join("\r\n"));
  for (const path of ["models/data.json", "prompts/prompt.ts", "prompts/types.d.ts", "utils/a.ts"]) {
    assertEquals(await folder.read(`src/${path}`), await author.read(path));
  }
});

Deno.test("packageSources() writes the package itself and the workspace's members as packages", async () => {
  await using folder = await makeFolder({});
  const model = join(ROOT, "tests/testdata/models/workspace_model.ts");
  const result = await packageSources(model, folder.path);

  assertEquals(result.files.map((file) => file.path), ["src/workspace_model.ts"]);
  const own = `jsr:@chatmodel/chat-model@^${configuration.version}`;
  assertEquals(result.imports, [own, `${own}/demo`, configuration.imports["@std/path"], "npm:valibot@^1.5.0"]);
  const [, , demo, , own2, std] = (await folder.read("src/workspace_model.ts")).split("\n");
  assertEquals(demo, `import { DemoChatModel } from "${own}/demo";`);
  assertEquals(own2, `import type { ChatRequest } from "${own}";`);
  assertEquals(std, `import { join } from "${configuration.imports["@std/path"]}";`);
  const lock = JSON.parse(await folder.read(result.lock ?? ""));
  assertEquals(Object.keys(lock), ["version", "specifiers", "npm"]);
  assertEquals(Object.keys(lock.specifiers), ["npm:valibot@^1.5.0"]);
  assertMatch(lock.npm["valibot@1.5.0"].integrity, /^sha512-/);

  // The class is the one of the package that loads it: here, and beside a deno.json to which the names mean others.
  await using elsewhere = await makeFolder({
    "deno.json": JSON.stringify({
      links: [ROOT],
      imports: {
        "@chatmodel/chat-model": "./wrong.ts",
        "@chatmodel/chat-model/": "./wrong/",
        "@std/path": "./wrong.ts",
        "valibot": "./wrong.ts",
        "real": configuration.imports["@std/path"],
      },
    }),
    "wrong.ts": 'throw new Error("Not this one");',
  });
  for (const [config, name] of [[ROOT, "@chatmodel/chat-model"], [elsewhere.path, own]]) {
    const { success, text } = await runDeno([
      "eval",
      "--no-lock",
      `--config=${config}/deno.json`,
      `import { ChatModel } from "${name}";
       const model = await import(${JSON.stringify(toFileUrl(join(folder.path, result.modelPath)).href)});
       console.log(new model.default() instanceof ChatModel, model.parts[0] === ChatModel, model.parts[2]);`,
    ], elsewhere.path);
    assertEquals({ success, text }, { success: true, text: "true true a/b\n" });
  }
});

Deno.test("packageSources() makes a folder that runs beside a deno.json with other names", async () => {
  await using author = await makeFolder({
    "deno.json": CONFIG,
    "deno.lock": "{}",
    "model.ts":
      'import * as v from "valibot";\nimport { a } from "utils/a.ts";\nconsole.log(v.parse(v.number(), a));\n',
    "utils/a.ts": "export const a = 42;\n",
  });
  await using elsewhere = await makeFolder({
    "deno.json": '{ "imports": { "valibot": "./wrong.ts", "utils/": "./nowhere/" } }',
    "wrong.ts": 'throw new Error("Not this one");',
  });
  const folder = join(elsewhere.path, "model");
  await Deno.mkdir(folder);
  const { modelPath, lock } = await packageSources(join(author.path, "model.ts"), folder);
  assertEquals(lock, "deno.lock");
  await author[Symbol.asyncDispose]();
  await Deno.mkdir(author.path); // For the second disposal.

  const beside = await runDeno(["run", "--no-lock", `model/${modelPath}`], elsewhere.path);
  assertEquals(beside, { success: true, text: "42\n" });
  const locked = await runDeno(["run", "--no-config", "--lock=deno.lock", "--frozen", modelPath], folder);
  assertEquals(locked, { success: true, text: "42\n" });
  // The lock is in force: Deno refuses what has another hash.
  const text = await Deno.readTextFile(join(folder, "deno.lock"));
  await Deno.writeTextFile(join(folder, "deno.lock"), text.replaceAll("npm:valibot@^1.5.0", "npm:valibot@^1.4.0"));
  const refused = await runDeno(["run", "--no-config", "--lock=deno.lock", "--frozen", modelPath], folder);
  assertEquals(refused.success, false);
  assertStringIncludes(refused.text, "lockfile is out of date");
});

Deno.test("packageSources() names the file, the place and the import when one leads nowhere", async () => {
  await using author = await makeFolder({
    "deno.json": CONFIG,
    "model.ts": 'import "./a.ts";\nimport "unknown-name";\n',
    "a.ts": '/* é😀 */ import "./missing.ts"; import type { T } from "./missing_types.ts"; export type U = T;\n',
    "broken.ts": "export const a = ;\n",
    "uses_broken.ts": 'import "./broken.ts";\n',
    "latin.ts": new Uint8Array([0x2f, 0x2f, 0xe9, 0x0a, ...new TextEncoder().encode('import "node:fs";')]),
  });
  await using folder = await makeFolder({});
  const failure = (path: string) =>
    assertRejects(() => packageSources(join(author.path, path), folder.path), ChatModelError);

  const missing = await failure("model.ts");
  assertEquals(missing.code, "invalid_model_file");
  assertStringIncludes(missing.message, `"${join(author.path, "model.ts")}:2:9" imports "unknown-name"`);
  assertStringIncludes(missing.message, `"${join(author.path, "a.ts")}:1:19" imports "./missing.ts": Module not found`);
  assert(!missing.message.includes("missing_types"), missing.message);

  const broken = await failure("uses_broken.ts");
  assertMatch(broken.message, /Expression expected \(at file:.*broken\.ts:1:18\)/);
  assertMatch((await failure("broken.ts")).message, /broken\.ts" cannot be loaded: .*Expression expected/);
  assertStringIncludes((await failure("nowhere.ts")).message, "there is no such file");
  assertStringIncludes((await failure(".")).message, "it is not a file");
  assertStringIncludes((await failure("latin.ts")).message, 'latin.ts": it is not UTF-8');
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

Deno.test("packageSources() takes files above the model, through links, and those that codePaths name", async () => {
  await using author = await makeFolder({
    "deno.json": CONFIG,
    "shared/above.ts": "export const above = 1;\n",
    "shared/real.ts": 'export { above } from "./above.ts";\n',
    "project/ünï code/model.ts": `import { above } from "../../shared/above.ts";
import { above as again } from "file:///ROOT/shared/above.ts";
import { above as linked } from "../shared_link/real.ts";
export default [above, again, linked, new URL("./prompt.txt", import.meta.url), new URL("gone.txt", import.meta.url)];
const name = "./plugins/plugin.ts";
export const plugin = () => import(name);
export const known = () => import("./known/" + name + ".ts");
`,
    "project/ünï code/prompt.txt": "Be kind",
    "project/ünï code/plugins/plugin.ts": 'export { string } from "valibot";\n',
    "project/ünï code/known/a.ts": 'import "valibot";\n',
    "project/ünï code/known/latin.ts": new Uint8Array([0x2f, 0x2f, 0xe9]),
    "project/ünï code/plugins/.env": "SECRET=1",
    "project/ünï code/plugins/deep/a.bin": new Uint8Array([0, 255, 1]),
    "project/ünï code/plugins/node_modules/x/index.js": "",
  });
  const model = join(author.path, "project/ünï code/model.ts");
  await Deno.symlink(join(author.path, "shared"), join(author.path, "project/shared_link"));
  await Deno.writeTextFile(model, (await Deno.readTextFile(model)).replace("/ROOT", author.path));
  await using folder = await makeFolder({});

  const plugins = join(author.path, "project/ünï code/plugins");
  const result = await packageSources(model, folder.path, { codePaths: [plugins, model] });

  assertEquals(result.modelPath, "src/project/ünï code/model.ts");
  assertEquals(result.files.map((file) => file.path), [
    "src/project/shared_link/above.ts",
    "src/project/shared_link/real.ts",
    "src/project/ünï code/known/a.ts",
    "src/project/ünï code/known/latin.ts",
    "src/project/ünï code/model.ts",
    "src/project/ünï code/plugins/deep/a.bin",
    "src/project/ünï code/plugins/plugin.ts",
    "src/shared/above.ts",
  ]);
  const text = await folder.read(result.modelPath);
  assertStringIncludes(text, 'from "../../shared/above.ts";\nimport { above as again } from "../../shared/above.ts";');
  assertEquals(
    await folder.read("src/project/ünï code/plugins/plugin.ts"),
    'export { string } from "npm:valibot@^1.5.0";\n',
  );
  assertEquals((await Deno.lstat(join(folder.path, "src/project/shared_link/real.ts"))).isFile, true);
  const [dynamic = "", file = "", secret = "", ...others] = [...result.warnings].sort((one, other) =>
    one.slice(-12).localeCompare(other.slice(-12))
  );
  assertEquals(others, []);
  const all = [dynamic, file, secret].join("\n");
  assertStringIncludes(all, `"${model}:6:29" imports a module whose name is known only when it runs`);
  assertStringIncludes(all, `"${model}:4:43" names "./prompt.txt", which is not packaged`);
  assertStringIncludes(all, `"${join(plugins, ".env")}" is not packaged`);

  const error = await assertRejects(
    () => packageSources(model, folder.path, { codePaths: [join(author.path, "nowhere")] }),
    ChatModelError,
  );
  assertEquals(error.code, "invalid_model_path");
  assertStringIncludes(error.message, join(author.path, "nowhere"));
});

Deno.test("packageSources() locks what is imported and nothing else, and writes nothing beside the author's files", async () => {
  await using author = await makeFolder({
    "deno.jsonc": `{
      // The author's comment, "with quotes"
      "imports": { "check": "npm:fast-check@^4.10.2", "other": "npm:openai@^7.57.0", },
    }`,
    "model.js": 'import * as check from "check";\nexport default check;\n',
  });
  await using folder = await makeFolder({});
  const result = await packageSources(join(author.path, "model.js"), folder.path);
  const lock = JSON.parse(await folder.read("deno.lock"));
  assertEquals(result.imports, ["npm:fast-check@^4.10.2"]);
  assertEquals(Object.keys(lock.specifiers), ["npm:fast-check@^4.10.2"]);
  const names = Object.keys(lock.npm).map((id) => id.replace(/@[^@]*$/, ""));
  assertEquals(names, ["fast-check", "pure-rand"]);
  assertEquals((await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).sort(), ["deno.lock", "src"]);
  assertEquals((await Array.fromAsync(Deno.readDir(author.path))).length, 2);
});

Deno.test({
  name: "packageSources() says which permission is missing when Deno must not be started",
  permissions: { read: true, write: true, run: false, sys: false, net: false, env: true },
  async fn() {
    await using author = await makeFolder({ "model.ts": "export default 1;\n" });
    const error = await assertRejects(
      () => packageSources(join(author.path, "model.ts"), author.path),
      ChatModelError,
    );
    assertEquals(error.code, "permission_denied");
    assertStringIncludes(error.message, "--allow-run");
  },
});

Deno.test("packageSources() gives up with the signal's reason", async () => {
  await using author = await makeFolder({ "model.ts": "export default 1;\n" });
  await using folder = await makeFolder({});
  const controller = new AbortController();
  const result = packageSources(join(author.path, "model.ts"), folder.path, { signal: controller.signal });
  const reason = new Error("Enough");
  setTimeout(() => controller.abort(reason), 1);
  assertEquals(await result.then(() => "packaged", (error) => error), reason);
});
