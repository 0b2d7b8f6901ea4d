import { assert, assertEquals, assertRejects } from "@std/assert";
import { ValidationError } from "../../../mod.ts";
import { evaluate, exactMatch } from "../../../evaluation/mod.ts";
import { openTrackingStore, type TrackingStore } from "../../../tracking/mod.ts";
import { enableTracing, type FinishedSpan, type SpanTime, type TraceSink } from "../../../tracing/mod.ts";
import { all, Answering, Echo, withFolder } from "../_models.ts";

const CODES = ["UNSET", "OK", "ERROR"] as const;

/** Brings spans to a store. */
function sinkOf(store: TrackingStore, experimentId: string): TraceSink {
  return {
    name: store.uri,
    write: (spans) => store.logSpans(experimentId, spans.map(toInput)),
  };
}

function toInput(span: FinishedSpan): Parameters<TrackingStore["logSpans"]>[1][number] {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentId: span.parentSpanContext?.spanId,
    name: span.name,
    startTime: nanoseconds(span.startTime),
    endTime: nanoseconds(span.endTime),
    status: { code: CODES[span.status.code] ?? "UNSET", message: span.status.message },
    attributes: span.attributes,
  };
}

function nanoseconds([seconds, rest]: SpanTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}

Deno.test("evaluate() logs scores and expectations to the traces of the rows, and links them to the run", async () => {
  await withFolder(async (folder) => {
    await using trackingStore = openTrackingStore(`sqlite:///${folder}/mlflow.db`);
    const experimentId = await trackingStore.createExperiment({ name: "traced" });
    await using tracing = await enableTracing({ store: sinkOf(trackingStore, experimentId) });
    const model = new Answering((text) => {
      if (text === "down") throw new Error("Down");
      return text;
    });
    const options = {
      model,
      data: [
        { inputs: { question: "a" }, expectations: { expected_response: "a", expected_facts: ["b"] } },
        { inputs: { conversation: ["b", "c"].map((content) => ({ role: "user" as const, content })) } },
        { inputs: { question: "down" } },
      ],
      scorers: [
        exactMatch(),
        {
          name: "judged",
          score: () => ({ value: "yes", rationale: "Because" }),
          source: { type: "LLM_JUDGE" as const, id: "demo" },
        },
        function several() {
          return [{ name: "part", value: 0.5 }];
        },
      ],
      trackingStore,
      experiment: "traced",
      tracing,
      resume: `${folder}/j.jsonl`,
    };
    const { runId, ...result } = await evaluate(options);
    const again = await evaluate(options);
    const rows = await all(again.rows());
    assertEquals(result.failed, 1);
    const { items } = await trackingStore.searchTraces({ experimentIds: [experimentId] });
    assertEquals(items.length, 3, "one trace a row, also of a conversation");
    for (const trace of items) assertEquals(trace.metadata["mlflow.sourceRun"], runId);

    const [first, second, third] = await Promise.all(rows.map(async ({ traceId }) => {
      const assessments = await trackingStore.getAssessments(`tr-${traceId}`);
      return assessments.map(({ name, kind, value, source, rationale, error }) => ({
        name,
        kind,
        value,
        source: `${source.type} ${source.id}`,
        ...(rationale !== undefined && { rationale }),
        ...(error !== undefined && { code: error.code }),
      }));
    }));
    const judged = { name: "judged", kind: "feedback", value: "yes", source: "LLM_JUDGE demo", rationale: "Because" };
    const part = { name: "part", kind: "feedback", value: 0.5, source: "CODE default" };
    assertEquals<unknown>(first, [
      { name: "exact_match", kind: "feedback", value: true, source: "CODE exact_match" },
      judged,
      part,
      { name: "expected_response", kind: "expectation", value: "a", source: "HUMAN default" },
      { name: "expected_facts", kind: "expectation", value: ["b"], source: "HUMAN default" },
    ]);
    assertEquals<unknown>(second, [
      { name: "exact_match", kind: "feedback", value: null, source: "CODE exact_match", code: "SCORER_ERROR" },
      judged,
      part,
    ]);
    assertEquals<unknown>(third, [{
      name: "exact_match",
      kind: "feedback",
      value: false,
      source: "CODE exact_match",
      rationale: "The model failed on this row",
    }]);
    assert(rows[0]?.traceId !== rows[1]?.traceId);
    const { spans } = await trackingStore.getTrace(`tr-${rows[1]?.traceId}`);
    assertEquals(spans.length, 3, "the row and its two turns");
  });
});

Deno.test("evaluate() says on the run how many traces did not come to the store", async () => {
  await withFolder(async (folder) => {
    await using trackingStore = openTrackingStore(`sqlite:///${folder}/mlflow.db`);
    await using elsewhere = openTrackingStore(`sqlite:///${folder}/other.db`);
    await using tracing = await enableTracing({ store: sinkOf(elsewhere, "0") });
    const { runId } = await evaluate({ model: Echo, data: [{ inputs: "a" }], scorers: [], trackingStore, tracing });
    assertEquals((await trackingStore.getRun(runId ?? "")).data.tags["chatmodel.evaluation.lost_traces"], "1");
  });
});

Deno.test("evaluate() refuses tracing without a run", async () => {
  await withFolder(async (folder) => {
    await using store = openTrackingStore(`sqlite:///${folder}/mlflow.db`);
    await using tracing = await enableTracing({ store: sinkOf(store, "0") });
    await assertRejects(
      () => evaluate({ model: Echo, data: [{ inputs: "a" }], scorers: [], tracing }),
      ValidationError,
      '"tracing"',
    );
  });
});
