import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { hashFile, type SourceFile, verifySources } from "../../models/_source_files.ts";
import { ChatModelError } from "../../mod.ts";
import { makeFolder } from "./_folder.ts";

async function saved() {
  const folder = await makeFolder({
    "src/a.ts": "export {};\n",
    "src/deep/b.bin": new Uint8Array(200_000),
    "deno.lock": "{}",
  });
  const files = await Promise.all(
    ["src/a.ts", "src/deep/b.bin", "deno.lock"].map((path) => hashFile(folder.path, path)),
  );
  return { folder, files };
}

function changed(folder: string, files: readonly SourceFile[]): Promise<ChatModelError> {
  return assertRejects(() => verifySources(folder, files), ChatModelError);
}

Deno.test("hashFile() gives size and SHA-256 of a file", async () => {
  await using folder = await makeFolder({ "abc.txt": "abc" });
  assertEquals(await hashFile(folder.path, "abc.txt"), {
    path: "abc.txt",
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    size: 3,
  });
});

Deno.test("verifySources() passes what was saved, wherever the folder lies", async () => {
  const { folder, files } = await saved();
  await using _folder = folder;
  await verifySources(folder.path, files);
  await Deno.writeTextFile(join(folder.path, "src/.DS_Store"), "a Mac was here");
  await Deno.writeTextFile(join(folder.path, "MLmodel"), "not code");
  await verifySources(`${folder.path}/src/..`, files);
});

Deno.test("verifySources() names each file that was changed, removed or added", async () => {
  const { folder, files } = await saved();
  await using _folder = folder;
  const bytes = await Deno.readFile(join(folder.path, "src/deep/b.bin"));
  bytes[199_999] = 1;
  await Deno.writeFile(join(folder.path, "src/deep/b.bin"), bytes);
  const one = await changed(folder.path, files);
  assertEquals(one.code, "model_changed");
  assertStringIncludes(one.message, `Cannot load model "${folder.path}"`);
  assertStringIncludes(one.message, 'what was saved: "src/deep/b.bin" was changed. Fetch');

  await Deno.remove(join(folder.path, "src/a.ts"));
  await Deno.writeTextFile(join(folder.path, "deno.lock"), "{ }");
  await Deno.writeTextFile(join(folder.path, "src/deep/c.ts"), "");
  const all = await changed(folder.path, files);
  for (const problem of ['"src/a.ts" is missing', '"deno.lock" was changed', '"src/deep/c.ts" was added']) {
    assertStringIncludes(all.message, problem);
  }
  await Deno.remove(join(folder.path, "src"), { recursive: true });
  assertStringIncludes((await changed(folder.path, files)).message, '"src/deep/b.bin" is missing');
});

Deno.test("verifySources() refuses a link in place of a file, and a list that leads out of the folder", async () => {
  const { folder, files } = await saved();
  await using _folder = folder;
  await Deno.rename(join(folder.path, "src/a.ts"), join(folder.path, "elsewhere.ts"));
  await Deno.symlink("../elsewhere.ts", join(folder.path, "src/a.ts"));
  assertStringIncludes((await changed(folder.path, files)).message, '"src/a.ts" is no longer a file');
  for (const path of ["../x.ts", "/etc/passwd", "src/../../x.ts", "src\\a.ts", "C:/x.ts", ""]) {
    const { message } = await changed(folder.path, [{ path, sha256: "", size: 0 }]);
    assertStringIncludes(message, `"${path}" leads out of the folder`);
  }
});
