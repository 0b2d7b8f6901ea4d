/**
 * What this package sees of what Python wrote in trace_checks.py, in the store that the environment names.
 *
 * Usage: `read_traces.ts JSON`, with what traces.ts printed.
 */
import { assert, assertEquals } from "@std/assert";
import { closeTracking, getTrackingStore } from "../tracking/mod.ts";

const made: {
  readonly experiment_id: string;
  readonly run_id: string;
  readonly chat: string;
  readonly failed: string;
} = JSON.parse(Deno.args[0] ?? "{}");
const store = getTrackingStore();
const experimentIds = [made.experiment_id];

{
  const { items: [info, ...others] } = await store.searchTraces({ experimentIds, filter: "name = 'from python'" });
  assert(info !== undefined);
  assertEquals(others, []);
  const trace = await store.getTrace(info.traceId);
  assertEquals(trace.info, info);
  assertEquals([info.state, info.tokenUsage], ["OK", { inputTokens: 1, outputTokens: 2, totalTokens: 3 }]);
  assertEquals([info.requestPreview, info.responsePreview], ["Grüße 😀", "ok"]);
  assertEquals(info.tags.made, "by python");
  assertEquals([info.metadata["mlflow.sourceRun"], info.metadata["mlflow.trace.session"]], [made.run_id, "session-2"]);
  const [root, tool] = trace.spans;
  assertEquals(trace.spans.length, 2);
  assertEquals([root?.name, root?.attributes["mlflow.spanType"]], ["from python", "CHAT_MODEL"]);
  assertEquals(root?.attributes["mlflow.spanInputs"], { messages: [{ role: "user", content: "Grüße 😀" }] });
  assertEquals([tool?.name, tool?.parentId], ["look_up", root?.spanId]);
  assertEquals(tool?.attributes["mlflow.spanOutputs"], { found: ["é"] });
  assert(tool !== undefined && root !== undefined && tool.startTime >= root.startTime);
  const assessments = Object.fromEntries(
    info.assessments.map((one) => [one.name, [one.kind, one.value, one.source.type]]),
  );
  assertEquals(assessments, { expected: ["expectation", ["a", "b"], "HUMAN"], score: ["feedback", 4, "CODE"] });
}
{
  const { items: [info] } = await store.searchTraces({ experimentIds, filter: "name = 'python fails'" });
  const { spans: [span] } = await store.getTrace(info?.traceId ?? "");
  assertEquals([info?.state, span?.status.code], ["ERROR", "ERROR"]);
  const [event] = span?.events ?? [];
  assertEquals([event?.name, event?.attributes["exception.message"]], ["exception", "broken in Python"]);
}
{
  const { info } = await store.getTrace(made.failed);
  assertEquals([info.tags.from, info.tags.reviewed], ["python", undefined]);
  assertEquals(info.assessments.map(({ name, value, rationale, source }) => ({ name, value, rationale, source })), [
    { name: "python", value: "no", rationale: "broke", source: { type: "HUMAN", id: "py" } },
  ]);
  const relevance = (await store.getAssessments(made.chat)).find(({ name }) => name === "relevance");
  assertEquals(relevance?.value, 0.5);
}
{
  // Ours changes what is Python's.
  const { items: [info] } = await store.searchTraces({ experimentIds, filter: "tags.made = 'by python'" });
  const traceId = info?.traceId ?? "";
  await store.setTraceTag(traceId, { key: "read", value: "by Deno" });
  for (const { assessmentId } of await store.getAssessments(traceId)) {
    await store.deleteAssessment(traceId, assessmentId);
  }
  const { info: after } = await store.getTrace(traceId);
  assertEquals([after.tags.read, after.assessments], ["by Deno", []]);
  assertEquals(await store.deleteTraces({ experimentId: made.experiment_id, traceIds: [traceId] }), 1);
}
await closeTracking();
