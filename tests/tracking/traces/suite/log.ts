import { assertEquals } from "@std/assert";
import { assertRefused, NO_EXPERIMENT, type Suite, testStore } from "../../suite/support.ts";
import { sampleTrace, START_MS, START_NS, tokens } from "../support.ts";

/** Logging spans, and reading them. */
export function logTests(suite: Suite): void {
  testStore(suite, "logSpans() makes a trace that getTrace() reads", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    const child = sample.child({
      status: { code: "ERROR", message: "it broke" },
      attributes: {
        "mlflow.spanType": "TOOL",
        "mlflow.spanInputs": { query: "wö", list: [1, 2.5, true, null] },
        "mlflow.spanOutputs": [],
        text: "5",
        number: 5,
        float: 0.25,
        flag: false,
        words: ["a", "b"],
      },
      events: [{ name: "exception", time: START_NS + 5n, attributes: { "exception.message": "it broke", count: 2 } }],
      links: [{ traceId: "f".repeat(32), spanId: "e".repeat(16), attributes: { kind: "caused by" } }],
    });
    await store.logSpans(experimentId, [child, sample.root()]);
    const { info, spans } = await store.getTrace(sample.traceId);
    assertEquals(info.traceId, sample.traceId);
    assertEquals(info.experimentId, experimentId);
    assertEquals(info.state, "OK");
    assertEquals(info.name, "chat demo");
    assertEquals([info.requestTime, info.executionDuration], [START_MS, 1500]);
    assertEquals([info.requestPreview, info.responsePreview], ["Grüße", "Hi 😀"]);
    assertEquals(info.tokenUsage, undefined);
    assertEquals(info.assessments, []);
    const [root, read] = spans;
    assertEquals(spans.length, 2);
    assertEquals(root, {
      traceId: sample.traceId,
      spanId: sample.rootId,
      name: "chat demo",
      startTime: START_NS,
      endTime: START_NS + 1_500_000_000n,
      status: { code: "OK" },
      attributes: {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.spanInputs": { messages: [{ role: "user", content: "Grüße" }] },
        "mlflow.spanOutputs": { choices: [{ message: { role: "assistant", content: "Hi 😀" } }] },
        "mlflow.traceRequestId": sample.traceId,
      },
      events: [],
      links: [],
    });
    assertEquals(read?.parentId, sample.rootId);
    assertEquals(read?.status, { code: "ERROR", message: "it broke" });
    assertEquals(read?.attributes, { ...child.attributes, "mlflow.traceRequestId": sample.traceId });
    assertEquals(read?.events, child.events);
    // A server hands out spans without their links.
    if (read?.links.length !== 0) {
      assertEquals(read?.links, [{
        traceId: `tr-${"f".repeat(32)}`,
        spanId: "e".repeat(16),
        attributes: { kind: "caused by" },
      }]);
    }
  });

  testStore(suite, "logSpans() takes a trace in several batches, children first", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    await store.logSpans(experimentId, [sample.child({ attributes: tokens(3, 4) })]);
    const open = await store.getTrace(sample.traceId);
    assertEquals([open.info.state, open.spans.length], ["IN_PROGRESS", 1]);
    assertEquals([open.info.requestTime, open.info.executionDuration], [START_MS + 100, 500]);
    await store.logSpans(experimentId, [sample.child({ attributes: tokens(10, 20) })]);
    await store.logSpans(experimentId, [sample.root({ status: { code: "ERROR" } })]);
    const { info, spans } = await store.getTrace(sample.traceId);
    assertEquals([info.state, spans.length], ["ERROR", 3]);
    assertEquals([info.requestTime, info.executionDuration], [START_MS, 1500]);
    assertEquals(info.tokenUsage, { inputTokens: 13, outputTokens: 24, totalTokens: 37 });
  });

  testStore(suite, "logSpans() takes a span that comes again once", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    const child = sample.child({ attributes: tokens(3, 4) });
    await store.logSpans(experimentId, [child, sample.root()]);
    await store.logSpans(experimentId, [{ ...child, name: "renamed" }]);
    const { info, spans } = await store.getTrace(sample.traceId);
    assertEquals(spans.map(({ name }) => name), ["chat demo", "renamed"]);
    assertEquals(info.tokenUsage?.totalTokens, 7);
  });

  testStore(suite, "logSpans() reads OpenTelemetry's names", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    const root = sample.root({
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "llama3.2:1b",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 6,
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
        "session.id": "session-1",
        "user.id": "user-1",
      },
    });
    await store.logSpans(experimentId, [root]);
    const { info, spans } = await store.getTrace(sample.traceId);
    assertEquals(info.tokenUsage, { inputTokens: 5, outputTokens: 6, totalTokens: 11 });
    assertEquals(info.metadata["mlflow.trace.session"], "session-1");
    assertEquals(info.metadata["mlflow.trace.user"], "user-1");
    const attributes = spans[0]?.attributes ?? {};
    assertEquals(attributes["mlflow.spanType"], "CHAT_MODEL");
    assertEquals(attributes["mlflow.llm.model"], "llama3.2:1b");
    assertEquals(attributes["mlflow.chat.tokenUsage"], { input_tokens: 5, output_tokens: 6, total_tokens: 11 });
    assertEquals(attributes["mlflow.spanInputs"], [{ role: "user", parts: [{ type: "text", content: "Hi" }] }]);
  });

  testStore(suite, "logSpans() links a trace to its run and model", async ({ store, experimentId, runId }) => {
    const run = await runId();
    const sample = sampleTrace();
    await store.logSpans(experimentId, [sample.root()], {
      runId: run,
      modelId: "m-0123",
      tags: { env: "dev", team: "x" },
      metadata: { "mlflow.source.name": "main.ts" },
    });
    const { info } = await store.getTrace(sample.traceId);
    assertEquals(info.metadata["mlflow.sourceRun"], run);
    assertEquals(info.metadata["mlflow.modelId"], "m-0123");
    assertEquals(info.metadata["mlflow.source.name"], "main.ts");
    assertEquals([info.tags.env, info.tags.team], ["dev", "x"]);
    const { items } = await store.searchTraces({ experimentIds: [experimentId], filter: `run_id = '${run}'` });
    assertEquals(items.map(({ traceId }) => traceId), [sample.traceId]);
  });

  testStore(suite, "logSpans() logs many traces at once", async ({ store, experimentId }) => {
    const samples = Array.from({ length: 20 }, () => sampleTrace());
    await store.logSpans(experimentId, samples.flatMap((sample) => [sample.child(), sample.root()]));
    const { items } = await store.searchTraces({ experimentIds: [experimentId] });
    assertEquals(items.length, 20);
    assertEquals(new Set(items.map(({ state }) => state)), new Set(["OK"]));
  });

  testStore(suite, "logSpans() refuses what is no span, and logs nothing", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    const wrong = [
      { traceId: "abc" },
      { traceId: "0".repeat(32) },
      { spanId: "xyz" },
      { parentId: "1" },
      { startTime: "soon" },
      { endTime: START_NS - 1n },
      { attributes: { list: new Set([1n]).values, big: [1n] } },
    ];
    for (const changes of wrong) {
      const action = () => store.logSpans(experimentId, [sample.root(), sample.child(changes)]);
      const error = await assertRefused(action, "INVALID_PARAMETER_VALUE");
      assertEquals(error.message.includes("span 1"), true, error.message);
    }
    assertEquals((await store.searchTraces({ experimentIds: [experimentId] })).items, []);
    await assertRefused(() => store.logSpans(NO_EXPERIMENT, [sample.root()]), "RESOURCE_DOES_NOT_EXIST");
  });

  testStore(suite, "getTrace() rejects when there is no such trace", async ({ store }) => {
    await assertRefused(() => store.getTrace(sampleTrace().traceId), "RESOURCE_DOES_NOT_EXIST");
  });
}
