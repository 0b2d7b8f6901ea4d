import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";
import { readRows, uriIn, withFolder } from "./_sqlite.ts";

function startWriter(folder: string, count: number): Deno.ChildProcess {
  const writer = fromFileUrl(new URL("_sqlite_writer.ts", import.meta.url));
  const args = ["run", "--no-check", "--allow-read", "--allow-write", writer, uriIn(folder), String(count)];
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" }).spawn();
}

Deno.test("SqliteStore loses nothing when several processes create and write one file at once", () =>
  withFolder(async (folder) => {
    const outputs = await Promise.all(Array.from({ length: 4 }, () => startWriter(folder, 40).output()));
    for (const { success, stderr } of outputs) assert(success, new TextDecoder().decode(stderr));
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM metrics"), [{ count: 160 }]);
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM experiments"), [{ count: 1 }]);
    assertEquals(readRows(folder, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
    assertEquals(readRows(folder, "PRAGMA foreign_key_check"), []);
    await using store = SqliteStore.open(uriIn(folder));
    const { items } = await store.searchRuns({ experimentIds: ["0"] });
    assertEquals(items.map(({ data }) => data.metrics.step), [39, 39, 39, 39]);
  }));

Deno.test("SqliteStore keeps every acknowledged write when the process is killed", () =>
  withFolder(async (folder) => {
    const writer = startWriter(folder, 1_000_000);
    const stderr = writer.stderr.cancel();
    let told = "";
    const decoder = new TextDecoder();
    for await (const chunk of writer.stdout) {
      // What had been told when the process died is read to its end.
      if (told.split("\n").length > 20) killOnce(writer);
      told += decoder.decode(chunk, { stream: true });
    }
    await writer.status;
    await stderr;
    const [runId = "", ...steps] = told.split("\n").slice(0, -1);
    assert(steps.length >= 20);
    await using store = SqliteStore.open(uriIn(folder));
    const points = (await store.getMetricHistory(runId, "step")).items.map(({ step }) => String(step));
    assertEquals(points.slice(0, steps.length), steps);
    // One more may have been written without having been told.
    assert(points.length - steps.length <= 1);
    const last = Number(points.at(-1));
    assertEquals((await store.getRun(runId)).data.metrics.step, last);
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
