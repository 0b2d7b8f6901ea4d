import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { writeFolder } from "../../models/_write_folder.ts";
import { ChatModelError } from "../../mod.ts";
import { makeFolder } from "./_folder.ts";

const MODULE = new URL("../../models/_write_folder.ts", import.meta.url).href;

async function names(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

async function writeTwo(temporary: string): Promise<string> {
  await Deno.writeTextFile(join(temporary, "one"), "1");
  await Deno.writeTextFile(join(temporary, "two"), "2");
  return temporary;
}

Deno.test("writeFolder() makes a folder, takes an empty one, and makes those above", async () => {
  await using parent = await makeFolder({});
  const temporary = await writeFolder(join(parent.path, "a/b/model"), async (temporary) => {
    assertEquals(await names(join(parent.path, "a/b")), [temporary.split("/").at(-1) ?? ""]);
    return await writeTwo(temporary);
  });
  assertMatch(temporary, new RegExp(`/a/b/\\.model\\.${Deno.pid}\\.[\\da-f]{8}\\.tmp$`));
  assertEquals(await names(join(parent.path, "a/b")), ["model"]);
  assertEquals(await names(join(parent.path, "a/b/model")), ["one", "two"]);

  await Deno.mkdir(join(parent.path, "empty"));
  await Deno.symlink(join(parent.path, "empty"), join(parent.path, "link"));
  await writeFolder(join(parent.path, "link"), writeTwo);
  assertEquals(await names(join(parent.path, "empty")), ["one", "two"]);
  assertEquals(await names(parent.path), ["a", "empty", "link"]);
});

Deno.test("writeFolder() refuses a place where something is, before it writes", async () => {
  await using parent = await makeFolder({ "full/file": "mine", "file": "mine" });
  await Deno.symlink(join(parent.path, "nowhere"), join(parent.path, "dangling"));
  for (
    const [name, what] of [
      ["full", "the folder is not empty"],
      ["file", "it is not a folder"],
      ["dangling", "it is a link to what does not exist"],
    ]
  ) {
    const path = join(parent.path, name ?? "");
    let written = false;
    const error = await assertRejects(() => writeFolder(path, () => Promise.resolve(written = true)), ChatModelError);
    assertEquals(error.code, "folder_not_empty");
    assertEquals(error.message, `Cannot write folder "${path}": ${what}. Remove it or name another`);
    assertEquals(written, false);
  }
  assertEquals(await names(parent.path), ["dangling", "file", "full"]);
});

Deno.test("writeFolder() leaves nothing behind when the writer fails or the signal is aborted", async () => {
  await using parent = await makeFolder({});
  const path = join(parent.path, "model");
  const reason = new Error("Disk full");
  const failure = await writeFolder(path, async (temporary) => {
    await writeTwo(temporary);
    throw reason;
  }).catch((error) => error);
  assertEquals(failure, reason);
  assertEquals(await names(parent.path), []);

  const controller = new AbortController();
  const aborted = await writeFolder(path, async (temporary) => {
    await writeTwo(temporary);
    controller.abort(reason);
  }, { signal: controller.signal }).catch((error) => error);
  assertEquals(aborted, reason);
  assertEquals(await names(parent.path), []);
});

Deno.test("writeFolder() lets exactly one win when several write one folder", async () => {
  await using parent = await makeFolder({});
  const path = join(parent.path, "model");
  const writers = Array.from({ length: 8 }, (_, index) =>
    writeFolder(path, async (temporary) => {
      await Deno.writeTextFile(join(temporary, "winner"), String(index));
      await writeTwo(temporary);
      return index;
    }));
  const results = await Promise.allSettled(writers);
  const winners = results.filter((result) => result.status === "fulfilled").map(({ value }) => value);
  assertEquals(winners, [Number(await Deno.readTextFile(join(path, "winner")))]);
  for (const result of results) {
    if (result.status === "rejected") assertStringIncludes(result.reason.message, "the folder is not empty");
  }
  assertEquals(await names(parent.path), ["model"]);
});

Deno.test("writeFolder() leaves no folder at the place when the process is killed while it writes", async () => {
  await using parent = await makeFolder({});
  const path = join(parent.path, "model");
  const program = `import { writeFolder } from ${JSON.stringify(MODULE)};
    await writeFolder(${JSON.stringify(path)}, async (temporary) => {
      await Deno.writeTextFile(temporary + "/one", "1");
      console.log("writing");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const file = join(parent.path, "save.ts");
  await Deno.writeTextFile(file, program);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `--config=${new URL("../../deno.json", import.meta.url).pathname}`, toFileUrl(file).href],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), "writing\n");
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();

  const [left = "", ...others] = await names(parent.path);
  assertMatch(left, new RegExp(`^\\.model\\.${child.pid}\\.[\\da-f]{8}\\.tmp$`));
  assertEquals(others, ["save.ts"]);
  // What it left is in no one's way.
  await writeFolder(path, writeTwo);
  assertEquals(await names(path), ["one", "two"]);
});

Deno.test({
  name: "writeFolder() says which permission is missing",
  permissions: { read: true, write: false },
  async fn() {
    const error = await assertRejects(() => writeFolder("/tmp/nowhere-at-all", writeTwo), ChatModelError);
    assertEquals(error.code, "permission_denied");
    assertStringIncludes(error.message, "--allow-write");
  },
});
