/**
 * Logs traces from Deno, in the store that the environment names, and prints what trace_checks.py needs to find them.
 *
 * @module
 */
import { closeTracking, getTrackingStore, type TraceSpanInput } from "../tracking/mod.ts";

const START = 1_795_000_000_123_456_789n;
const store = getTrackingStore();
const experimentId = await store.createExperiment({ name: "traces" });
const { info: run } = await store.createRun({ experimentId, runName: "traced" });

/** A trace of a chat with a tool, in pieces as they come to an end: the child is logged before its parent. */
const chat = crypto.randomUUID().replaceAll("-", "");
const root: TraceSpanInput = {
  traceId: chat,
  spanId: "00000000000000a1",
  name: "chat assistant",
  startTime: START,
  endTime: START + 2_000_000_000n,
  status: { code: "OK" },
  attributes: {
    "gen_ai.operation.name": "chat",
    "mlflow.spanInputs": JSON.stringify({ messages: [{ role: "user", content: "Wie spät ist es? 🕰" }] }),
    "mlflow.spanOutputs": JSON.stringify({ choices: [{ message: { role: "assistant", content: "Zwölf" } }] }),
    "mlflow.chat.tokenUsage": JSON.stringify({ input_tokens: 11, output_tokens: 4, total_tokens: 15 }),
    "mlflow.chat.tools": JSON.stringify([{ type: "function", function: { name: "clock" } }]),
    "mlflow.llm.model": "demo",
    "mlflow.llm.provider": "demo",
    "mlflow.message.format": "openai",
    "session.id": "session-1",
    "user.id": "someone",
    "mlflow.traceTag.color": "blue",
    temperature: 0.5,
    flag: true,
  },
  events: [{ name: "mlflow.chunk.item.0", time: START + 5n, attributes: { "mlflow.chunk.value": '{"a": 1}' } }],
};
const tool: TraceSpanInput = {
  traceId: chat,
  spanId: "00000000000000b2",
  parentId: root.spanId,
  name: "clock",
  startTime: START + 1n,
  endTime: START + 1_000_000_001n,
  attributes: {
    "gen_ai.operation.name": "execute_tool",
    "mlflow.spanInputs": '{"zone":"UTC"}',
    "mlflow.spanOutputs": '"12:00"',
  },
};
await store.logSpans(experimentId, [tool]);
await store.logSpans(experimentId, [root], {
  runId: run.runId,
  modelId: "m-0123456789abcdef0123456789abcdef",
  tags: { env: "interop" },
});

const failed = crypto.randomUUID().replaceAll("-", "");
await store.logSpans(experimentId, [{
  traceId: failed,
  spanId: "00000000000000c3",
  name: "chat broken",
  startTime: START + 10_000_000_000n,
  endTime: START + 10_500_000_000n,
  status: { code: "ERROR", message: "it broke" },
  attributes: { "mlflow.spanType": "AGENT", "mlflow.spanInputs": '{"x":1}' },
  events: [{
    name: "exception",
    time: START + 10_400_000_000n,
    attributes: { "exception.type": "Error", "exception.message": "it broke" },
  }],
}]);

const open = crypto.randomUUID().replaceAll("-", "");
await store.logSpans(experimentId, [{ ...tool, traceId: open }]);

await store.setTraceTag(`tr-${failed}`, { key: "reviewed", value: "yes" });
await store.linkTracesToRun(run.runId, [`tr-${failed}`]);
const feedback = await store.logFeedback(`tr-${chat}`, {
  name: "relevance",
  value: 0.75,
  source: { type: "LLM_JUDGE", id: "judge" },
  rationale: "fast richtig – ja",
  metadata: { round: "1" },
});
await store.logFeedback(`tr-${chat}`, { name: "good", value: true, source: { type: "HUMAN", id: "someone" } });
await store.logFeedback(`tr-${chat}`, { name: "broken", error: { code: "SCORER_ERROR", message: "no answer" } });
await store.logExpectation(`tr-${chat}`, { name: "facts", value: { time: "12:00" } });
// deno-lint-ignore no-console -- what the checks in Python are given
console.log(JSON.stringify({
  experiment_id: experimentId,
  run_id: run.runId,
  chat: `tr-${chat}`,
  failed: `tr-${failed}`,
  open: `tr-${open}`,
  feedback: feedback.assessmentId,
}));
await closeTracking();
