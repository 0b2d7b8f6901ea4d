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
  // What it left is in no one's way, and stays as long as another machine might still write to it.
  await writeFolder(path, writeTwo);
  assertEquals(await names(path), ["one", "two"]);
  assertEquals(await names(parent.path), [left, "model", "save.ts"]);

  await Deno.remove(path, { recursive: true });
  await age(join(parent.path, left), 11);
  await writeFolder(path, writeTwo);
  assertEquals(await names(parent.path), ["model", "save.ts"]);
});

/** Sets the time of all in a folder back. */
async function age(path: string, minutes: number): Promise<void> {
  const time = new Date(Date.now() - minutes * 60_000);
  for await (const { name } of Deno.readDir(path)) await Deno.utime(join(path, name), time, time);
  await Deno.utime(path, time, time);
}

Deno.test("writeFolder() removes of what others left only what is old, of its name, and of no running process", async () => {
  const dead = 2 ** 22 + 1; // More than Linux gives.
  const kept = {
    fresh: `.model.${dead}.00000001.tmp`,
    running: `.model.${Deno.ppid}.00000002.tmp`,
    own: `.model.${Deno.pid}.00000003.tmp`,
    otherName: `.model.x.${dead}.00000004.tmp`,
    otherForm: `.model.${dead}.tmp`,
    other: `model.${dead}.00000005.tmp`,
  };
  const stale = [`.model.${dead}.00000006.tmp`, `.model.${Deno.ppid}.00000007.tmp`];
  await using parent = await makeFolder(
    Object.fromEntries([...Object.values(kept), ...stale].map((name) => [`${name}/file`, ""])),
  );
  for (const name of [kept.running, kept.own, kept.otherName, kept.otherForm, kept.other, stale[0] ?? ""]) {
    await age(join(parent.path, name), 11);
  }
  // Its directory is old, what is in it is not.
  await age(join(parent.path, kept.fresh), 11);
  await Deno.writeTextFile(join(parent.path, kept.fresh, "file"), "more");
  // A process has the number again, and not for a week.
  await age(join(parent.path, stale[1] ?? ""), 8 * 24 * 60);
  // A file of such a name is no one's folder.
  await Deno.writeTextFile(join(parent.path, `.model.${dead}.00000008.tmp`), "");
  await writeFolder(join(parent.path, "model"), writeTwo);
  assertEquals(await names(parent.path), [...Object.values(kept), `.model.${dead}.00000008.tmp`, "model"].sort());
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
