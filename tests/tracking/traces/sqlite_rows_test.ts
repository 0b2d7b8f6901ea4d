import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path";
import { TrackingError } from "../../../tracking/mod.ts";
import { SqliteStore } from "../../../tracking/sqlite/sqlite_store.ts";
import { readRows, runSql, uriIn, withFolder, withStore } from "../_sqlite.ts";
import { sampleTrace, START_MS, START_NS, tokens } from "./support.ts";

const TESTDATA = new URL("../../testdata/mlflow/sqlite/", import.meta.url);

type Rows = { readonly [table: string]: readonly { readonly [column: string]: string | number | null }[] };

/** What MLflow 3.17.2 itself has written; times in ns, too large to be exact as numbers, are text. */
const recorded: Rows = JSON.parse(
  Deno.readTextFileSync(new URL("rows_3.17.2.json", TESTDATA)).replaceAll(/_nano": (\d+)/g, '_nano": "$1"'),
);

/** A folder with a database that MLflow 3.12.0 has laid out. */
function withOldDatabase(test: (folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const schema = await Deno.readTextFile(new URL("schema_3.12.0.sql", TESTDATA));
    const path = join(folder, "mlflow.db");
    runSql(path, schema);
    runSql(
      path,
      "INSERT INTO alembic_version VALUES ('7d34483879f0'); INSERT INTO workspaces (name) VALUES ('default'); " +
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, workspace) " +
        "VALUES (1, 'tries', '/nowhere/1', 'active', 'default')",
    );
    await test(folder);
  });
}

const USED = { "mlflow.llm.model": "demo", "mlflow.llm.provider": "us", "session.id": "s1", ...tokens(3, 4) };

Deno.test("logSpans() writes a span's row as MLflow 3.17.2 does", () =>
  withStore(async (store, folder) => {
    const [row] = recorded.spans ?? [];
    const content = JSON.parse(String(row?.content).replaceAll(/_nano": (\d+)/g, '_nano": "$1"'));
    const experimentId = await store.createExperiment({ name: "tries" });
    assertEquals(experimentId, String(row?.experiment_id));
    await store.logSpans(experimentId, [{
      traceId: String(row?.trace_id),
      spanId: String(row?.span_id),
      name: "f",
      startTime: String(row?.start_time_unix_nano),
      endTime: String(row?.end_time_unix_nano),
      status: { code: "OK" },
      attributes: {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.spanFunctionName": "f",
        "mlflow.spanInputs": { x: "hello" },
        "mlflow.spanOutputs": { y: "hello" },
        "mlflow.spanLogLevel": 20,
      },
    }]);
    const names = Object.keys(row ?? {}).map((name) =>
      name.endsWith("_nano") ? `CAST(${name} AS TEXT) AS ${name}` : name
    );
    const sql = `SELECT ${names.join(", ")} FROM spans`;
    const [written] = readRows(folder, sql);
    const { content: text, ...columns } = written ?? {};
    const { content: _, ...wanted } = row ?? {};
    assertEquals(columns, wanted);
    assertEquals(JSON.parse(String(text).replaceAll(/_nano": (\d+)/g, '_nano": "$1"')), content);
    // The same keys in the same order, with Python's spaces: MLflow looks for some of it as text.
    const { trace_id: ours } = JSON.parse(String(text));
    assertStringIncludes(String(text), `{"trace_id": "${ours}", "span_id": "`);
    assertStringIncludes(String(text), '"mlflow.spanInputs": "{\\"x\\": \\"hello\\"}"');
    const [info] = readRows(folder, "SELECT * FROM trace_info");
    const [wantedInfo] = recorded.trace_info ?? [];
    assertEquals({ ...info, db_payload_generation: 0 }, { ...wantedInfo, db_payload_generation: 0 });
    assertEquals(readRows(folder, "SELECT key FROM trace_tags ORDER BY key"), [
      { key: "mlflow.artifactLocation" },
      { key: "mlflow.trace.spansLocation" },
    ]);
  }));

Deno.test("getTrace() reads the rows that MLflow 3.17.2 has written", () =>
  withStore(async (store, folder) => {
    const db = new DatabaseSync(join(folder, "mlflow.db"));
    try {
      db.exec("INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'recorded', 'active')");
      for (const table of ["trace_info", "trace_tags", "trace_request_metadata", "spans"]) {
        for (const { duration_ns: _, ...row } of recorded[table] ?? []) {
          const columns = Object.keys(row).map((name) => `"${name}"`).join(", ");
          const marks = Object.keys(row).map(() => "?").join(", ");
          db.prepare(`INSERT INTO ${table} (${columns}) VALUES (${marks})`).run(...Object.values(row));
        }
      }
    } finally {
      db.close();
    }
    const traceId = "tr-6b2ba379566e35742b3db5486ea43e69";
    const { info, spans } = await store.getTrace(traceId);
    assertEquals(info.name, "f");
    assertEquals([info.state, info.requestTime, info.executionDuration], ["OK", 1795423840813, 0]);
    assertEquals([info.requestPreview, info.responsePreview], ['{"x": "hello"}', '{"y": "hello"}']);
    assertEquals(info.metadata["mlflow.sourceRun"], "130255444d8a43e187ce37acebf78edc");
    assertEquals(info.tags["mlflow.traceName"], "f");
    assertEquals(spans.map(({ startTime, endTime }) => [startTime, endTime]), [
      [1795423840813081284n, 1795423840813702424n],
    ]);
    assertEquals(spans[0]?.attributes["mlflow.spanOutputs"], { y: "hello" });
    assertEquals(spans[0]?.status, { code: "OK" });
    const { items } = await store.searchTraces({ experimentIds: ["1"], filter: "span.type = 'CHAT_MODEL'" });
    assertEquals(items, [info]);
  }));

Deno.test("logSpans() writes what has no columns in MLflow 3.12's database where that keeps it", () =>
  withOldDatabase(async (folder) => {
    await using store = SqliteStore.open(uriIn(folder));
    const sample = sampleTrace();
    const cost = { "mlflow.llm.cost": { input_cost: 0.25, output_cost: 0.5, total_cost: 0.75 } };
    await store.logSpans("1", [sample.root({ attributes: { ...USED, ...cost } })]);
    const metadata = readRows(folder, "SELECT key, value FROM trace_request_metadata ORDER BY key");
    assertEquals(Object.fromEntries(metadata.map(({ key, value }) => [key, value])), {
      "mlflow.trace.cost": '{"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75}',
      "mlflow.trace.session": "s1",
      "mlflow.trace.tokenUsage": '{"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}',
      "mlflow.trace_schema.version": "3",
    });
    assertEquals(readRows(folder, "SELECT key, value FROM trace_metrics ORDER BY key"), [
      { key: "input_tokens", value: 3 },
      { key: "output_tokens", value: 4 },
      { key: "total_tokens", value: 7 },
    ]);
    assertEquals(readRows(folder, "SELECT key, value FROM span_metrics ORDER BY key"), [
      { key: "input_cost", value: 0.25 },
      { key: "output_cost", value: 0.5 },
      { key: "total_cost", value: 0.75 },
    ]);
    assertEquals(readRows(folder, "SELECT dimension_attributes AS found FROM spans"), [
      { found: '{"mlflow.llm.model": "demo", "mlflow.llm.provider": "us"}' },
    ]);
    assertEquals(readRows(folder, "SELECT value FROM trace_tags WHERE key = 'mlflow.traceName'"), [
      { value: "chat demo" },
    ]);
    const { info } = await store.getTrace(sample.traceId);
    assertEquals([info.name, info.tokenUsage?.totalTokens], ["chat demo", 7]);
    for (const filter of ["name = 'chat demo'", "metadata.`mlflow.trace.session` = 's1'"]) {
      assertEquals((await store.searchTraces({ experimentIds: ["1"], filter })).items, [info], filter);
    }
    await store.deleteTraceTag(sample.traceId, "mlflow.traceName");
    assertEquals((await store.getTrace(sample.traceId)).info.name, undefined);
  }));

Deno.test("logSpans() fills columns that MLflow has added while the database was open", () =>
  withOldDatabase(async (folder) => {
    await using store = SqliteStore.open(uriIn(folder));
    await store.logSpans("1", [sampleTrace().root({ attributes: USED })]);
    runSql(join(folder, "mlflow.db"), "ALTER TABLE trace_info ADD COLUMN session_id VARCHAR(250)");
    const sample = sampleTrace();
    await store.logSpans("1", [sample.root({ attributes: USED })]);
    const sql = `SELECT session_id FROM trace_info WHERE request_id = '${sample.traceId}'`;
    assertEquals(readRows(folder, sql), [{ session_id: "s1" }]);
    assertEquals((await store.getTrace(sample.traceId)).info.metadata["mlflow.trace.session"], "s1");
  }));

Deno.test("logSpans() refuses a database whose traces it does not know", () =>
  withStore(async (store, folder) => {
    runSql(join(folder, "mlflow.db"), "ALTER TABLE spans ADD COLUMN shape TEXT NOT NULL DEFAULT 'x'");
    await store.logSpans("0", [sampleTrace().root()]);
    runSql(join(folder, "mlflow.db"), "ALTER TABLE spans RENAME COLUMN content TO body");
    const error = await assertRejects(() => store.logSpans("0", [sampleTrace().root()]), TrackingError);
    assertEquals(error.errorCode, "INVALID_STATE");
    assertStringIncludes(error.message, "no column spans.content");
  }));

Deno.test("logSpans() leaves what whoever made the trace has said of it", () =>
  withStore(async (store, folder) => {
    const sample = sampleTrace();
    await store.logSpans("0", [sample.root({ attributes: tokens(1, 1) })]);
    // As MLflow's own client does when a trace has ended.
    runSql(
      join(folder, "mlflow.db"),
      `INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.trace.infoFinalized', 'true', '${sample.traceId}')`,
    );
    await store.logSpans("0", [sample.child({ endTime: START_NS + 9_000_000_000n, attributes: tokens(50, 50) })]);
    const { info, spans } = await store.getTrace(sample.traceId);
    assertEquals([spans.length, info.executionDuration, info.tokenUsage?.totalTokens], [2, 1500, 2]);
  }));

Deno.test("logSpans() keeps a trace in the experiment that it is in, and its state when the first span comes again", () =>
  withStore(async (store) => {
    const [one, other] = [await store.createExperiment({ name: "a" }), await store.createExperiment({ name: "b" })];
    const sample = sampleTrace();
    await store.logSpans(one, [sample.root({ endTime: undefined })]);
    assertEquals((await store.getTrace(sample.traceId)).info.state, "IN_PROGRESS");
    assertEquals((await store.getTrace(sample.traceId)).info.executionDuration, undefined);
    await store.logSpans(other, [sample.root({ status: { code: "ERROR" } })]);
    await store.logSpans(other, [sample.child()]);
    const { info } = await store.getTrace(sample.traceId);
    assertEquals([info.experimentId, info.state, info.executionDuration], [one, "ERROR", 1500]);
  }));

Deno.test("logSpans() refuses spans of a trace that was moved into an archive, and logs none of the others", () =>
  withStore(async (store, folder) => {
    const [archived, other] = [sampleTrace(), sampleTrace()];
    await store.logSpans("0", [archived.root()]);
    runSql(
      join(folder, "mlflow.db"),
      "UPDATE trace_tags SET value = 'ARCHIVE_REPO' WHERE key = 'mlflow.trace.spansLocation'; DELETE FROM spans",
    );
    const error = await assertRejects(() => store.logSpans("0", [other.root(), archived.child()]), TrackingError);
    assertEquals(error.errorCode, "INVALID_STATE");
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM trace_info"), [{ count: 1 }]);
    const unread = await assertRejects(() => store.getTrace(archived.traceId), TrackingError);
    assertEquals(unread.errorCode, "NOT_IMPLEMENTED");
  }));

Deno.test("getTrace() reads spans that are kept in a file", () =>
  withStore(async (store, folder) => {
    const sample = sampleTrace();
    await store.logSpans("0", [sample.root(), sample.child()]);
    const { spans } = await store.getTrace(sample.traceId);
    const contents = readRows(folder, "SELECT content FROM spans").map(({ content }) => content);
    const place = join(folder, "mlruns", "0", "traces", sample.traceId, "artifacts");
    runSql(
      join(folder, "mlflow.db"),
      "DELETE FROM spans; DELETE FROM trace_tags WHERE key = 'mlflow.trace.spansLocation'",
    );
    assertEquals((await store.getTrace(sample.traceId)).spans, []);
    await Deno.mkdir(place, { recursive: true });
    await Deno.writeTextFile(join(place, "traces.json"), `{"spans": [${contents.join(", ")}]}`);
    assertEquals((await store.getTrace(sample.traceId)).spans, spans);
    await Deno.writeTextFile(join(place, "traces.json"), "{");
    const error = await assertRejects(() => store.getTrace(sample.traceId), TrackingError);
    assertStringIncludes(error.message, "is not valid JSON");
  }));

Deno.test("logSpans() keeps the name that a trace was given, and tells assessments of an earlier start", () =>
  withStore(async (store, folder) => {
    const sample = sampleTrace();
    await store.logSpans("0", [sample.child()]);
    await store.setTraceTag(sample.traceId, { key: "mlflow.traceName", value: "given" });
    await store.logFeedback(sample.traceId, { name: "good", value: true });
    await store.logSpans("0", [sample.root()]);
    assertEquals((await store.getTrace(sample.traceId)).info.name, "given");
    assertEquals(
      readRows(
        folder,
        "SELECT trace_timestamp_ms AS time, experiment_id AS id, aggregate_value AS value FROM assessments",
      ),
      [
        { time: START_MS, id: 0, value: 1 },
      ],
    );
    const named = sampleTrace();
    const { attributes } = named.root();
    await store.logSpans("0", [
      named.root({ attributes: { ...attributes, "mlflow.traceTag.mlflow.traceName": "own" } }),
    ]);
    assertEquals((await store.getTrace(named.traceId)).info.name, "own");
  }));

Deno.test("deleteTraces() leaves nothing of a trace behind", () =>
  withStore(async (store, folder) => {
    const { info: run } = await store.createRun({ experimentId: "0" });
    const sample = sampleTrace();
    await store.logSpans("0", [sample.root({ attributes: USED }), sample.child()]);
    await store.logFeedback(sample.traceId, { name: "good", value: true });
    await store.linkTracesToRun(run.runId, [sample.traceId]);
    assertEquals(await store.deleteTraces({ experimentId: "0", traceIds: [sample.traceId] }), 1);
    const tables = [
      "trace_info",
      "trace_tags",
      "trace_request_metadata",
      "spans",
      "assessments",
      "entity_associations",
    ];
    for (const table of tables) {
      assertEquals(readRows(folder, `SELECT count(*) AS count FROM ${table}`), [{ count: 0 }], table);
    }
  }));

Deno.test("searchTraces() finds what is written in other letters, whole or in part", () =>
  withStore(async (store) => {
    const sample = sampleTrace();
    await store.logSpans("0", [sample.root({ attributes: { city: "Köln", 'odd "key" a.b': 5, ratio: 0.5 } })]);
    await store.logFeedback(sample.traceId, { name: "verdict", value: "größer" });
    const found = [
      "trace.text LIKE '%Köln%'",
      "span.attributes.city = 'Köln'",
      "span.attributes.city LIKE 'K%'",
      "span.attributes.city IN ('Bonn', 'Köln')",
      "span.attributes.city RLIKE '^K.ln$'",
      "span.attributes.ratio = '0.5'",
      "feedback.verdict = 'größer'",
    ];
    for (const filter of found) {
      const { items } = await store.searchTraces({ experimentIds: ["0"], filter });
      assertEquals(items.map(({ traceId }) => traceId), [sample.traceId], filter);
    }
    for (const filter of ["span.attributes.city = 'köln'", "span.attributes.town = 'Köln'", "feedback.verdict = 'g'"]) {
      assertEquals((await store.searchTraces({ experimentIds: ["0"], filter })).items, [], filter);
    }
    const error = await assertRejects(
      () => store.searchTraces({ experimentIds: ["0"], filter: "name RLIKE '('" }),
      TrackingError,
    );
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
  }));

Deno.test("logSpans() keeps what is too long for a column in the span alone", () =>
  withStore(async (store) => {
    const sample = sampleTrace();
    const long = "é".repeat(2000);
    const attributes = {
      "mlflow.spanInputs": { q: long },
      "session.id": long,
      "mlflow.traceTag.long": "x".repeat(9000),
    };
    await store.logSpans("0", [sample.root({ attributes })]);
    const { info, spans: [root] } = await store.getTrace(sample.traceId);
    assertEquals(Array.from(info.requestPreview ?? "").length, 1000);
    assert(info.requestPreview?.endsWith("..."));
    assertEquals(info.metadata["mlflow.trace.session"], undefined);
    assertEquals(info.tags.long, undefined);
    assertEquals(root?.attributes["session.id"], long);
    assertEquals(root?.attributes["mlflow.spanInputs"], { q: long });
    assertEquals(info.requestTime, START_MS);
  }));

Deno.test("logSpans() gives up when it is told to before it writes", () =>
  withStore(async (store) => {
    const reason = new Error("enough");
    const action = () => store.logSpans("0", [sampleTrace().root()], { signal: AbortSignal.abort(reason) });
    assertEquals(await assertRejects(action), reason);
    assertEquals((await store.searchTraces({ experimentIds: ["0"] })).items, []);
  }));
