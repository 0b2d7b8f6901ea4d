import { assertEquals, assertRejects } from "@std/assert";
import { TrackingError } from "@chatmodel/chat-model/tracking";
import { type ActiveRun, logTable, logText, setTag, startRun } from "../../../tracking/fluent/mod.ts";
import { newTracking } from "./support.ts";

Deno.test("logTable() writes rows and columns as MLflow does", async () => {
  await using _tracking = await newTracking();
  await startRun(async (run) => {
    await logTable([{ a: 1, b: "é" }, { a: null, c: { d: [true] } }], "rows.json");
    assertEquals(await read(run, "rows.json"), {
      columns: ["a", "b", "c"],
      data: [[1, "é", null], [null, null, { d: [true] }]],
    });
    await logTable({ a: [1, 2], b: ["x", "y"] }, "folder/columns.json");
    assertEquals(await read(run, "folder/columns.json"), { columns: ["a", "b"], data: [[1, "x"], [2, "y"]] });
    await logTable([], "empty.json");
    assertEquals(await read(run, "empty.json"), { columns: [], data: [] });
    assertEquals(await notes(run), ["rows.json", "folder/columns.json", "empty.json"].map(note));
  });
});

Deno.test("logTable() adds to a table that is there", async () => {
  await using _tracking = await newTracking();
  await startRun(async (run) => {
    await logTable([{ a: 1, b: 2 }], "folder/t.json");
    await logTable({ c: [3], a: [4] }, "folder/t.json");
    assertEquals(await read(run, "folder/t.json"), { columns: ["a", "b", "c"], data: [[1, 2, null], [4, null, 3]] });
    assertEquals(await notes(run), [note("folder/t.json")]);
  });
});

Deno.test("logTable() loses no rows of many calls at once", async () => {
  await using _tracking = await newTracking();
  await startRun(async (run) => {
    const rows = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(rows.map((a) => logTable([{ a }], a % 2 === 0 ? "even.json" : "odd.json")));
    assertEquals((await read(run, "even.json")).data.flat(), rows.filter((row) => row % 2 === 0));
    assertEquals((await read(run, "odd.json")).data.flat(), rows.filter((row) => row % 2 === 1));
    assertEquals((await notes(run)).length, 2);
  });
});

Deno.test("logTable() refuses what is no table, and goes on after that", async () => {
  await using _tracking = await newTracking();
  await startRun(async (run) => {
    const refuse = (action: () => Promise<void>, hint: string) => assertRejects(action, TrackingError, hint);
    await refuse(() => logTable([{ a: 1 }], "t.parquet"), '".json"');
    await refuse(() => logTable({ a: [1, 2], b: [1] }, "t.json"), '"a" has 2, "b" has 1');
    await refuse(() => logTable([{ a: 1n }], "t.json"), "no JSON form");
    for (const text of ["[]", "{", '{"columns":["a"],"data":{}}', '{"columns":[1],"data":[]}']) {
      await logText(text, "other.json");
      await refuse(() => logTable([{ a: 1 }], "other.json"), "holds no table");
    }
    await logTable([{ a: 1 }], "t.json");
    assertEquals(await read(run, "t.json"), { columns: ["a"], data: [[1]] });
  });
});

Deno.test("logTable() keeps what others noted, and replaces notes that are none", async () => {
  await using _tracking = await newTracking();
  await startRun(async (run) => {
    await setTag("mlflow.loggedArtifacts", '[{"path": "other.json", "type": "image"}]');
    await logTable([{ a: 1 }], "t.json");
    assertEquals(await notes(run), [{ path: "other.json", type: "image" }, note("t.json")]);
    await setTag("mlflow.loggedArtifacts", "none");
    await logTable([{ a: 1 }], "t.json");
    assertEquals(await notes(run), [note("t.json")]);
  });
});

async function read({ info, store }: ActiveRun, file: string) {
  return await new Response(await store.artifacts(info.artifactUri).get(file)).json();
}

async function notes({ info, store }: ActiveRun): Promise<readonly unknown[]> {
  return JSON.parse((await store.getRun(info.runId)).data.tags["mlflow.loggedArtifacts"] ?? "[]");
}

function note(path: string) {
  return { path, type: "table" };
}
