/** Databases that may be read and not written: by the file's mode, or by Deno's permissions. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { TrackingError } from "../../tracking/errors.ts";
import { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";
import { runSql, startRun, uriIn, withFolder } from "./_sqlite.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** Reads, tries to write, and says what came of it. */
const SCRIPT = `import { openTrackingStore } from "@chatmodel/chat-model/tracking";
await using store = openTrackingStore(Deno.args[0]);
const { items } = await store.searchExperiments();
const refusal = await store.createExperiment({ name: "new" }).catch((error) => error);
console.log(JSON.stringify([items.map(({ name }) => name), refusal.errorCode, refusal.message]));
`;

async function runScript(folder: string, permissions: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const script = join(folder, "script.ts");
  await Deno.writeTextFile(script, SCRIPT);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, "--config", join(ROOT, "deno.json"), script, uriIn(folder)],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function makeStore(folder: string): Promise<void> {
  await using store = SqliteStore.open(uriIn(folder));
  await startRun(store, "kept");
}

Deno.test("SqliteStore reads with --allow-read alone, and says what writing needs", () =>
  withFolder(async (folder) => {
    await makeStore(folder);
    const { stdout, stderr } = await runScript(folder, ["--allow-read"]);
    assert(stdout !== "", stderr);
    const [names, code, message] = JSON.parse(stdout);
    assertEquals([names, code], [["kept", "Default"], "PERMISSION_DENIED"]);
    assertEquals(
      message,
      `Cannot write to database "${
        join(folder, "mlflow.db")
      }": it may only be read. Run with --allow-write for its folder`,
    );
  }));

Deno.test("SqliteStore.open() that may not write makes no database, and says what it needs", () =>
  withFolder(async (folder) => {
    const missing = await runScript(folder, ["--allow-read"]);
    assertStringIncludes(missing.stderr, "Run with --allow-read and --allow-write for its folder");
    // An empty file is as good as none.
    await Deno.writeTextFile(join(folder, "mlflow.db"), "");
    const empty = await runScript(folder, ["--allow-read"]);
    assertStringIncludes(empty.stderr, "Run with --allow-read and --allow-write for its folder");
    assertEquals((await Deno.stat(join(folder, "mlflow.db"))).size, 0);
  }));

Deno.test("SqliteStore.open() that may only read tells of a database of another kind", () =>
  withFolder(async (folder) => {
    runSql(join(folder, "mlflow.db"), "CREATE TABLE other (a)");
    const { stderr } = await runScript(folder, ["--allow-read"]);
    assertStringIncludes(stderr, "it has tables, but none of MLflow's");
  }));

// Root may write whatever the mode says.
Deno.test(
  "SqliteStore reads a file in a folder that cannot be written",
  { ignore: Deno.uid() === 0 },
  () =>
    withFolder(async (folder) => {
      await makeStore(folder);
      await Deno.chmod(join(folder, "mlflow.db"), 0o444);
      await Deno.chmod(folder, 0o555);
      try {
        await using store = SqliteStore.open(uriIn(folder));
        assertEquals((await store.getExperimentByName("kept"))?.experimentId, "1");
        const error = await assertRejects(
          () => store.createExperiment({ name: "new" }),
          TrackingError,
          "may only be read",
        );
        assertStringIncludes(error.message, "Make the file and its folder writable");
        // Someone who may write does so.
        await Deno.chmod(join(folder, "mlflow.db"), 0o666);
        await Deno.utime(join(folder, "mlflow.db"), 1, 1);
        await assertRejects(
          () => store.getExperimentByName("kept"),
          TrackingError,
          "it was changed since it was opened",
        );
      } finally {
        await Deno.chmod(folder, 0o777);
      }
    }),
);

Deno.test("SqliteStore.open() refuses a file beside which writes stand that it cannot read", {
  ignore: Deno.uid() === 0,
}, () =>
  withFolder(async (folder) => {
    await makeStore(folder);
    await Deno.writeTextFile(join(folder, "mlflow.db-wal"), "what others have not yet brought into the database");
    await Deno.chmod(folder, 0o555);
    try {
      const error = assertThrows(() => SqliteStore.open(uriIn(folder)), TrackingError);
      assertEquals(error.errorCode, "PERMISSION_DENIED");
    } finally {
      await Deno.chmod(folder, 0o777);
    }
  }));
