import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TrackingError } from "../../../tracking/mod.ts";
import { RestStore } from "../../../tracking/rest/mod.ts";
import { type Answer, json, startFakeUpstream, text, type UpstreamRequest } from "../../support/fake_upstream.ts";
import { testEnvironment } from "../_mlflow.ts";
import { sampleTrace, START_NS, tokens } from "./support.ts";

/** A store of which the server gives these answers in turn. */
async function withStore(
  answers: readonly Answer[],
  run: (store: RestStore, requests: readonly UpstreamRequest[]) => Promise<void>,
): Promise<void> {
  await using upstream = await startFakeUpstream(answers);
  await using store = new RestStore(upstream.url, { env: testEnvironment() });
  await run(store, upstream.requests);
}

async function fails(action: () => Promise<unknown>, code: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, code, error.message);
  return error;
}

/** What MLflow's server answers to OTLP. */
const TAKEN = text("", { headers: { "content-type": "application/x-protobuf" } });

Deno.test("logSpans() sends spans by OTLP, and what is to be said of the trace once it has ended", () =>
  withStore([TAKEN, json({}), TAKEN], async (store, requests) => {
    const sample = sampleTrace();
    const root = sample.root({
      attributes: {
        ...tokens(1, 2),
        "session.id": "s1",
        number: 5,
        float: 0.5,
        nan: NaN,
        list: ["a"],
        none: undefined,
      },
      events: [{ name: "e", time: "7", attributes: { nested: { a: [1, null] } } }],
    });
    await store.logSpans("3", [root], { tags: { env: "dev" }, runId: "0123", metadata: { k: "v" } });
    const [otlp, info] = requests;
    assertEquals([otlp?.method, otlp?.path, otlp?.headers.get("x-mlflow-experiment-id")], ["POST", "/v1/traces", "3"]);
    assertEquals(otlp?.headers.get("content-type"), "application/json");
    const { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] } = JSON.parse(otlp?.body ?? "{}");
    assertEquals([span.traceId, span.spanId, span.parentSpanId], [sample.traceId.slice(3), sample.rootId, undefined]);
    assertEquals([span.startTimeUnixNano, span.status], [String(START_NS), { code: 1 }]);
    assertEquals(span.attributes, [
      {
        key: "mlflow.chat.tokenUsage",
        value: { stringValue: '{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}' },
      },
      { key: "session.id", value: { stringValue: "s1" } },
      { key: "number", value: { intValue: "5" } },
      { key: "float", value: { doubleValue: 0.5 } },
      { key: "nan", value: { doubleValue: "NaN" } },
      { key: "list", value: { stringValue: '["a"]' } },
      { key: "mlflow.traceRequestId", value: { stringValue: sample.traceId } },
    ]);
    assertEquals(span.events, [{
      name: "e",
      timeUnixNano: "7",
      attributes: [{
        key: "nested",
        value: { kvlistValue: { values: [{ key: "a", value: { arrayValue: { values: [{ intValue: "1" }, {}] } } }] } },
      }],
    }]);
    assertEquals([info?.method, info?.path], ["POST", "/api/3.0/mlflow/traces"]);
    assertEquals(JSON.parse(info?.body ?? "{}").trace.trace_info, {
      trace_id: sample.traceId,
      trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: "3" } },
      request_time: "2026-11-18T11:06:40.000Z",
      execution_duration: "1.500s",
      state: "OK",
      trace_metadata: {
        "mlflow.trace_schema.version": "3",
        "mlflow.trace.session": "s1",
        k: "v",
        "mlflow.sourceRun": "0123",
      },
      tags: { "mlflow.traceName": "chat demo", env: "dev" },
    });
    await store.logSpans("3", [sample.child()]);
    assertEquals(requests.map(({ path }) => path), ["/v1/traces", "/api/3.0/mlflow/traces", "/v1/traces"]);
    await store.logSpans("3", []);
    assertEquals(requests.length, 3);
  }));

for (
  const [what, answer] of [
    ["has no such route", text("<h1>Not Found</h1>", { status: 404, headers: { "content-type": "text/html" } })],
    [
      "takes no JSON",
      json({ detail: "Invalid Content-Type: application/json. Expected: application/x-protobuf" }, { status: 400 }),
    ],
  ] as const
) {
  Deno.test(`logSpans() says which server is needed when the server ${what}`, () =>
    withStore([answer], async (store) => {
      const error = await fails(() => store.logSpans("1", [sampleTrace().root()]), "ENDPOINT_NOT_FOUND");
      assertStringIncludes(error.message, "Use a server of MLflow 3.12 or newer");
    }));
}

Deno.test("getTrace() reads spans from a file where the server says that they are there", () => {
  const sample = sampleTrace();
  const info = {
    trace_id: sample.traceId,
    trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: "1" } },
    request_time: "2026-11-18T11:06:40Z",
    execution_duration: "1.5s",
    state: "OK",
    tags: { "mlflow.artifactLocation": "mlflow-artifacts:/1/traces/t/artifacts" },
  };
  const refusal = json(
    { error_code: "INTERNAL_ERROR", message: "Trace data not stored in tracking store" },
    { status: 500 },
  );
  const span = {
    trace_id: "0J0Jb2PYSnWcEIE8LL2SNg==",
    span_id: "RjaSg3AGJN8=",
    parent_span_id: null,
    name: "predict",
    events: [],
    status: { code: "STATUS_CODE_OK", message: "" },
    attributes: { "mlflow.spanType": '"CHAT_MODEL"' },
    links: [],
  };
  const body = JSON.stringify({ spans: [span] }).replace(
    '"name"',
    '"start_time_unix_nano": 1795422140791809437, "end_time_unix_nano": 1795422140793226998, "name"',
  );
  return withStore([refusal, json({ trace: { trace_info: info } }), text(body)], async (store, requests) => {
    const trace = await store.getTrace(sample.traceId);
    assertEquals([trace.info.executionDuration, trace.info.requestTime], [1500, 1_795_000_000_000]);
    assertEquals(trace.spans.map(({ spanId, startTime, endTime }) => ({ spanId, startTime, endTime })), [{
      spanId: "46369283700624df",
      startTime: 1795422140791809437n,
      endTime: 1795422140793226998n,
    }]);
    // A refusal that names its reason is not tried again.
    assertEquals(requests.map(({ path }) => path.replace(/\?.*/, "")), [
      "/api/3.0/mlflow/traces/get",
      `/api/3.0/mlflow/traces/${sample.traceId}`,
      "/api/2.0/mlflow-artifacts/artifacts/1/traces/t/artifacts/traces.json",
    ]);
  });
});

Deno.test("getTrace() says that an answer is broken", async () => {
  await withStore([json({ trace: {} })], async (store) => {
    await fails(() => store.getTrace("tr-1"), "INTERNAL_ERROR");
  });
  await withStore([text("{")], async (store) => {
    await fails(() => store.getTrace("tr-1"), "INTERNAL_ERROR");
  });
  await withStore([], async (store) => {
    for (const id of ["", "..", "get"]) await fails(() => store.getAssessments(id), "INVALID_PARAMETER_VALUE");
  });
});

Deno.test("linkTracesToRun() links by as many requests as a server needs", () =>
  withStore([json({}), json({})], async (store, requests) => {
    const ids = Array.from({ length: 150 }, (_, i) => `tr-${i}`);
    await store.linkTracesToRun("0123", ids);
    const bodies: { readonly trace_ids: string[] }[] = requests.map(({ body }) => JSON.parse(body));
    assertEquals(bodies.map(({ trace_ids }) => trace_ids.length), [100, 50]);
    assertEquals(bodies.flatMap(({ trace_ids }) => trace_ids), ids);
  }));
