import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { TrackingError } from "../../tracking/errors.ts";
import { Database } from "../../tracking/sqlite/database.ts";
import { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";
import { readRows, runSql, uriIn, withFolder, withStore } from "./_sqlite.ts";

const TESTDATA = new URL("../testdata/mlflow/sqlite/", import.meta.url);
const OLD_SCHEMA = await Deno.readTextFile(new URL("schema_3.12.0.sql", TESTDATA));
const ROWS: Record<string, Record<string, string | number | null>[]> = JSON.parse(
  await Deno.readTextFile(new URL("rows_3.17.2.json", TESTDATA)),
);

function refusal(action: () => unknown): TrackingError {
  return assertThrows(action, TrackingError);
}

Deno.test("SqliteStore.open() makes MLflow's whole database", () =>
  withStore(async (store, folder) => {
    assertEquals(readRows(folder, "SELECT * FROM alembic_version"), [{ version_num: "dc11669786a5" }]);
    assertEquals(readRows(folder, "SELECT name FROM workspaces"), [{ name: "default" }]);
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM sqlite_master WHERE type = 'table'"), [{ count: 65 }]);
    assertEquals(readRows(folder, "PRAGMA journal_mode"), [{ journal_mode: "wal" }]);
    assertEquals((await store.getExperiment("0")).artifactLocation, join(folder, "mlruns/0"));
    assertEquals(store.uri, uriIn(folder));
    assertEquals(store.database.revision, "dc11669786a5");
  }));

Deno.test("SqliteStore.open() opens a file again as it was left", () =>
  withFolder(async (folder) => {
    {
      await using store = SqliteStore.open(uriIn(folder));
      await store.createExperiment({ name: "kept" });
    }
    await using store = SqliteStore.open(uriIn(folder));
    assertEquals((await store.getExperimentByName("kept"))?.experimentId, "1");
  }));

Deno.test("SqliteStore reads what genuine MLflow wrote", () =>
  withFolder(async (folder) => {
    await SqliteStore.open(uriIn(folder))[Symbol.asyncDispose]();
    const path = join(folder, "mlflow.db");
    runSql(path, "DELETE FROM experiments; DELETE FROM workspaces; DELETE FROM alembic_version");
    const database = Database.open.bind(Database);
    const tables = ["alembic_version", "workspaces", "experiments", "runs", "logged_models", "registered_models"];
    const insert = (table: string) => {
      for (const row of ROWS[table] ?? []) {
        const values = Object.values(row).map((value) =>
          typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value)
        );
        runSql(path, `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${values.join()})`);
      }
    };
    for (const table of tables) insert(table);
    for (const table of ["inputs", "latest_metrics", "metrics", "params", "tags"]) insert(table);
    database(path).close();
    await using store = SqliteStore.open(uriIn(folder));
    const { items: [run] } = await store.searchRuns({ experimentIds: ["1"], filter: "metrics.m = 0.7" });
    assertEquals(run?.info.runName, "bouncy-shad-948");
    assertEquals(run?.info.status, "FINISHED");
    assertEquals(run?.info.artifactUri, "<path>/mlruns/1/130255444d8a43e187ce37acebf78edc/artifacts");
    assertEquals(run?.data.params, { a: "1" });
    assertEquals(run?.data.tags["mlflow.source.name"], "mk.py");
    assertEquals(run?.outputs.models, [{ modelId: "m-e5b16ade7bc743f596bd0a92a0afb16b", step: 0 }]);
    const { items } = await store.getMetricHistory("130255444d8a43e187ce37acebf78edc", "m");
    assertEquals(items.map(({ value, step }) => [step, value]), [[1, 0.5], [2, 0.7]]);
  }));

Deno.test("SqliteStore works with the database of MLflow 3.12 and leaves its tables as they are", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mlflow.db");
    runSql(path, OLD_SCHEMA);
    runSql(
      path,
      "INSERT INTO alembic_version VALUES ('7d34483879f0'); INSERT INTO workspaces VALUES ('default', '', NULL)",
    );
    const tables = readRows(folder, "SELECT sql FROM sqlite_master ORDER BY name");
    {
      await using store = SqliteStore.open(uriIn(folder));
      assertEquals(store.database.revision, "7d34483879f0");
      const experimentId = await store.createExperiment({ name: "x", tags: { a: "b" } });
      const { info } = await store.createRun({ experimentId });
      await store.logBatch(info.runId, {
        metrics: [{ key: "m", value: 1, timestamp: 1, step: 1 }],
        params: { p: "q" },
      });
      assertEquals((await store.getRun(info.runId)).data.metrics, { m: 1 });
    }
    assertEquals(readRows(folder, "SELECT sql FROM sqlite_master ORDER BY name"), tables);
  }));

Deno.test("SqliteStore.open() refuses databases of other versions, and does not touch them", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mlflow.db");
    await SqliteStore.open(uriIn(folder))[Symbol.asyncDispose]();
    runSql(path, "UPDATE alembic_version SET version_num = 'feedfeedfeed'");
    await SqliteStore.open(uriIn(folder))[Symbol.asyncDispose]();

    runSql(path, "ALTER TABLE runs ADD COLUMN note TEXT");
    await SqliteStore.open(uriIn(folder))[Symbol.asyncDispose]();

    runSql(path, "ALTER TABLE runs ADD COLUMN owner TEXT NOT NULL DEFAULT ''");
    await SqliteStore.open(uriIn(folder))[Symbol.asyncDispose]();

    runSql(path, "ALTER TABLE runs RENAME COLUMN deleted_time TO removed_time");
    const before = readRows(folder, "SELECT sql FROM sqlite_master ORDER BY name");
    const error = refusal(() => SqliteStore.open(uriIn(folder)));
    assertEquals(error.errorCode, "INVALID_STATE");
    for (const part of ["feedfeedfeed", "runs.deleted_time", "mlflow db upgrade"]) {
      assertStringIncludes(error.message, part);
    }
    assertEquals(readRows(folder, "SELECT sql FROM sqlite_master ORDER BY name"), before);
  }));

Deno.test("SqliteStore.open() refuses what is no database of MLflow", () =>
  withFolder(async (folder) => {
    const uriOf = (name: string) => `sqlite:///${join(folder, name)}`;
    await Deno.writeTextFile(join(folder, "text.db"), "no database ".repeat(100));
    assertStringIncludes(refusal(() => SqliteStore.open(uriOf("text.db"))).message, "not a database");
    assertEquals(await Deno.readTextFile(join(folder, "text.db")), "no database ".repeat(100));

    runSql(join(folder, "other.db"), "CREATE TABLE birds (name TEXT)");
    assertStringIncludes(refusal(() => SqliteStore.open(uriOf("other.db"))).message, "none of MLflow's");

    const missing = refusal(() => SqliteStore.open(uriOf("none/mlflow.db")));
    assertEquals(missing.errorCode, "RESOURCE_DOES_NOT_EXIST");
    assertStringIncludes(missing.message, join(folder, "none"));

    await Deno.mkdir(join(folder, "folder.db"));
    assertEquals(refusal(() => SqliteStore.open(uriOf("folder.db"))).errorCode, "PERMISSION_DENIED");
  }));

Deno.test("SqliteStore.open() reads URIs as SQLAlchemy does", () =>
  withFolder(async (folder) => {
    for (
      const uri of [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:mlflow.db",
        "sqlite://mlflow.db",
        "sqlite:///file:mlflow.db?mode=memory",
        "sqlite:///mlflow.db?timeout=5",
        "http://localhost",
      ]
    ) assertEquals(refusal(() => SqliteStore.open(uri)).errorCode, "INVALID_PARAMETER_VALUE", uri);
    await using store = SqliteStore.open(`sqlite:///${join(folder, "with space #%20.db")}`);
    assertEquals(store.database.path, join(folder, "with space #%20.db"));
  }));

Deno.test("SqliteStore refuses to work after it was closed", () =>
  withFolder(async (folder) => {
    const store = SqliteStore.open(uriIn(folder));
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    const error = await assertRejects(() => store.getExperiment("0"), TrackingError);
    assertEquals(error.errorCode, "INVALID_STATE");
  }));

Deno.test("Database.write() does all or nothing", () =>
  withStore((store) => {
    const { database } = store;
    const fault = new Error("stop");
    const thrown = assertThrows(() =>
      database.write(() => {
        database.run("UPDATE experiments SET name = 'changed'");
        database.write(() => database.run("UPDATE experiments SET name = 'changed again'"));
        throw fault;
      })
    );
    assert(thrown === fault);
    assertEquals(database.all("SELECT name FROM experiments"), [{ name: "Default" }]);
    assertThrows(() => database.read(() => database.write(() => 1)), TrackingError);
    assertEquals(database.write(() => database.run("UPDATE experiments SET name = 'changed'")), 1);
    return Promise.resolve();
  }));

Deno.test("artifacts() finds what a local server keeps behind mlflow-artifacts:", () =>
  withStore(async (store, folder) => {
    const uri = "mlflow-artifacts:/1/abc/artifacts";
    const error = refusal(() => store.artifacts(uri));
    assertEquals(error.errorCode, "RESOURCE_DOES_NOT_EXIST");
    assertStringIncludes(error.message, "tracking URI");

    await Deno.mkdir(join(folder, "mlartifacts/1/abc/artifacts/sub"), { recursive: true });
    await Deno.writeTextFile(join(folder, "mlartifacts/1/abc/artifacts/a.txt"), "A");
    for (const same of [uri, "mlflow-artifacts:///1/abc/artifacts", join(folder, "mlartifacts/1/abc/artifacts")]) {
      assertEquals((await store.artifacts(same).list()).map(({ path }) => path), ["a.txt", "sub"]);
    }
    assertEquals(await store.artifacts("mlflow-artifacts:/1/none").list(), []);
    for (
      const bad of [
        "mlflow-artifacts:/../1",
        "mlflow-artifacts:/1/%2e%2e/%2e%2e",
        "mlflow-artifacts:/a%2fb",
        "s3://b/a",
      ]
    ) {
      assertEquals(refusal(() => store.artifacts(bad)).errorCode, "INVALID_PARAMETER_VALUE", bad);
    }
    assertEquals(refusal(() => store.artifacts("mlflow-artifacts://host:5000/1")).errorCode, "RESOURCE_DOES_NOT_EXIST");
  }));
