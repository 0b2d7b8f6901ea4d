import { assertEquals, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { stripJsonc } from "../../models/_import_map.ts";
import { packageSources } from "../../models/_sources.ts";
import { relativeUrl } from "../../models/_specifiers.ts";
import { makeFolder } from "./_folder.ts";

Deno.test("packageSources() takes what is no code, and warns of what a model can do without", async () => {
  await using author = await makeFolder({
    "deno.json": `{
      "imports": { "valibot": "npm:valibot@^1.5.0", "@chatmodel/chat-model": "jsr:@chatmodel/chat-model@^0.0.9" },
      "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "valibot" }
    }`,
    "model.tsx": `import text from "./text.txt" with { type: "text" };
import * as wasm from "./empty.wasm";
import { string } from "\\u0076alibot";
import * as own from "@chatmodel/chat-model/demo";
export const element = <div>it's "valibot" {text}</div>;
export const lazy = () => import("./optional.ts");
export { x } from "./query.ts?v=1"; export { x as y } from "./query.ts?v=2#a";
export const resolved = [import.meta.resolve("valibot"), import.meta.resolve("./query.ts")];
export default [wasm, string, own];
`,
    "query.ts": 'import { string } from "valibot"; export const x = string;',
    "text.txt": "import 'valibot'",
    "empty.wasm": new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
  });
  await using folder = await makeFolder({});
  const path = join(author.path, "model.tsx");
  const result = await packageSources(path, folder.path);

  assertEquals(result.files.map((file) => file.path), [
    "src/empty.wasm",
    "src/model.tsx",
    "src/query.ts",
    "src/text.txt",
  ]);
  // The author's own range of this package counts, even if it cannot be had here.
  const source = (await author.read("model.tsx")).replace("\\u0076alibot", "npm:valibot@^1.5.0")
    .replace("@chatmodel/chat-model/demo", "jsr:@chatmodel/chat-model@^0.0.9/demo");
  assertEquals(await folder.read("src/model.tsx"), source);
  const warnings = result.warnings.join("\n");
  assertEquals(result.warnings.length, 3);
  assertStringIncludes(warnings, "begin it with /** @jsxImportSource npm:valibot@^1.5.0 */");
  assertStringIncludes(warnings, `"${path}:6:35" imports "./optional.ts": Module not found`);
  assertStringIncludes(warnings, `"${path}:8:26" calls import.meta.resolve`);
});

Deno.test("packageSources() finds the range of what comes from a node_modules folder", async () => {
  await using author = await makeFolder({
    "package.json": '{ "dependencies": { "one": "^1.2.0", "two": "file:./two" } }',
    "node_modules/one/package.json": '{ "name": "one", "version": "1.2.3", "main": "index.js" }',
    "node_modules/one/index.js": "module.exports = 1;",
    "node_modules/@scope/three/package.json":
      '{ "name": "@scope/three", "version": "3.0.0", "type": "module", "exports": { "./sub": "./deep/sub.js" } }',
    "node_modules/@scope/three/deep/sub.js": "export default 3;",
    "node_modules/two/package.json": '{ "name": "two", "version": "2.0.0", "type": "module", "main": "index.js" }',
    "node_modules/two/index.js": "export default 2;",
    "model.js": 'import one from "one";\nimport two from "two";\nimport three from "@scope/three/sub";\n',
  });
  await using folder = await makeFolder({});
  const result = await packageSources(join(author.path, "model.js"), folder.path);
  assertEquals(result.imports, ["npm:@scope/three@3.0.0/sub", "npm:one@^1.2.0", "npm:two@2.0.0"]);
  assertEquals(result.files.map((file) => file.path), ["src/model.js"]);
  assertEquals(
    await folder.read("src/model.js"),
    'import one from "npm:one@^1.2.0";\nimport two from "npm:two@2.0.0";\nimport three from "npm:@scope/three@3.0.0/sub";\n',
  );
  assertEquals(result.lock, undefined);
  assertStringIncludes(result.warnings.join(), "no lock file");
});

Deno.test("packageSources() takes a member of the author's workspace along, with what its own names mean there", async () => {
  // A version that is in Deno's cache.
  const project = JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url)));
  const valibot: string = project.specifiers["npm:valibot@^1.5.0"];
  await using author = await makeFolder({
    "deno.json": '{ "workspace": ["./app", "./tools"], "lock": { "path": "locks/deno.lock", "frozen": true } }',
    "locks/deno.lock": JSON.stringify({
      version: "5",
      specifiers: { "npm:valibot@^1.4.0": valibot },
      npm: { [`valibot@${valibot}`]: project.npm[`valibot@${valibot}`] },
    }),
    "app/deno.json": '{ "imports": { "check": "npm:fast-check@^4.10.2" } }',
    "app/model.ts":
      'import { tool } from "@acme/tools/tool"; import * as check from "check"; export default [tool, check];',
    "tools/deno.json": `{
      "name": "@acme/tools", "version": "1.0.0", "exports": { "./tool": "./src/tool.ts" },
      "imports": { "check": "npm:valibot@^1.4.0" }
    }`,
    "tools/src/tool.ts": 'export { string as tool } from "check";',
  });
  const before = await author.read("locks/deno.lock");
  const folder = join(author.path, "saved/model");
  await Deno.mkdir(folder, { recursive: true });
  const result = await packageSources(join(author.path, "app/model.ts"), folder, {
    codePaths: [join(author.path, "saved"), toFileUrl(join(author.path, "tools/deno.json")).href],
  });
  assertEquals(result.files.map((file) => file.path), [
    "src/app/model.ts",
    "src/tools/deno.json",
    "src/tools/src/tool.ts",
  ]);
  assertEquals(
    await Deno.readTextFile(join(folder, "src/app/model.ts")),
    'import { tool } from "../tools/src/tool.ts"; import * as check from "npm:fast-check@^4.10.2"; export default [tool, check];',
  );
  assertEquals(
    await Deno.readTextFile(join(folder, "src/tools/src/tool.ts")),
    'export { string as tool } from "npm:valibot@^1.4.0";',
  );
  assertEquals(result.lock, "deno.lock");
  assertEquals(result.warnings, []);
  assertEquals(await author.read("locks/deno.lock"), before);
});

Deno.test("stripJsonc() leaves JSON as Deno reads its configuration", () => {
  const text = '\uFEFF{ // a "comment"\n "a": "// no, \\" /* no */", /* "b": 1, */ "c": [1, 2 , ], }';
  assertEquals(JSON.parse(stripJsonc(text)), { a: '// no, " /* no */', c: [1, 2] });
});

Deno.test("relativeUrl() leads from one file to another", () => {
  const from = "file:///a/b%20c/d.ts";
  for (
    const to of [
      "file:///a/b%20c/e.ts",
      "file:///a/x.ts?v=1#y",
      "file:///z.ts",
      "file:///a/b%20c/d/e.ts",
      "file:///a/b/d.ts",
    ]
  ) {
    const relative = relativeUrl(from, to);
    assertEquals(/^\.\.?\//.test(relative), true, relative);
    assertEquals(new URL(relative, from).href, to);
  }
});
