import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { SqliteStore } from "../../../tracking/sqlite/sqlite_store.ts";
import { readRows, uriIn, withFolder } from "../_sqlite.ts";

const SHARED = `tr-${"f".repeat(32)}`;

function startWriter(folder: string, name: number, count: number): Deno.ChildProcess {
  const writer = fromFileUrl(new URL("_writer.ts", import.meta.url));
  const args = [
    "run",
    "--no-check",
    "--allow-read",
    "--allow-write",
    writer,
    uriIn(folder),
    String(name),
    String(count),
  ];
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" }).spawn();
}

Deno.test("logSpans() loses no span when eight processes log to one file, and to one trace, at once", () =>
  withFolder(async (folder) => {
    const outputs = await Promise.all(Array.from({ length: 8 }, (_, i) => startWriter(folder, i + 1, 15).output()));
    for (const { success, stderr } of outputs) assert(success, new TextDecoder().decode(stderr));
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM spans"), [{ count: 240 }]);
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM trace_info"), [{ count: 121 }]);
    assertEquals(readRows(folder, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
    assertEquals(readRows(folder, "PRAGMA foreign_key_check"), []);
    await using store = SqliteStore.open(uriIn(folder));
    const { info, spans } = await store.getTrace(SHARED);
    assertEquals([spans.length, info.tokenUsage?.totalTokens, info.executionDuration], [120, 240, 15]);
  }));

Deno.test("logSpans() has kept every acknowledged span when the process is killed among others", () =>
  withFolder(async (folder) => {
    const others = Array.from({ length: 3 }, (_, i) => startWriter(folder, i + 1, 10));
    const writer = startWriter(folder, 9, 1_000_000);
    const stderr = writer.stderr.cancel();
    const decoder = new TextDecoder();
    let told = "";
    for await (const chunk of writer.stdout) {
      // What had been told when the process died is read to its end.
      if (told.split("\n").length > 20) killOnce(writer);
      told += decoder.decode(chunk, { stream: true });
    }
    await writer.status;
    await stderr;
    for (const { success, stderr } of await Promise.all(others.map((other) => other.output()))) {
      assert(success, new TextDecoder().decode(stderr));
    }
    const acknowledged = told.split("\n").slice(0, -1);
    assert(acknowledged.length >= 20);
    await using store = SqliteStore.open(uriIn(folder));
    const { spans } = await store.getTrace(SHARED);
    const shared = new Set(spans.map(({ spanId }) => spanId));
    for (const id of acknowledged) {
      assert(shared.has(id), id);
      assertEquals((await store.getTrace(`tr-${id.padStart(32, "a")}`)).spans.length, 1);
    }
    // Each step's two spans are there together, one more step at most than was told.
    assert(shared.size - 30 - acknowledged.length <= 1);
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM spans"), [{ count: shared.size * 2 }]);
    assertEquals(readRows(folder, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
  }));

function killOnce(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // It is dead already.
    if (!(error instanceof TypeError)) throw error;
  }
}
