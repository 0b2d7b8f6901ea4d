import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertRefused, type Suite, testStore } from "../../suite/support.ts";
import { sampleTrace } from "../support.ts";

/** Judgements of traces. */
export function assessmentTests(suite: Suite): void {
  testStore(suite, "logFeedback() and logExpectation() are read back", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    await store.logSpans(experimentId, [sample.root()]);
    const { traceId } = sample;
    const before = Date.now();
    const feedback = await store.logFeedback(traceId, {
      name: "relevance",
      value: 0.5,
      source: { type: "LLM_JUDGE", id: "judge-1" },
      rationale: "half of it – 'so'",
      metadata: { k: "v" },
      spanId: sample.rootId,
    });
    assertMatch(feedback.assessmentId, /^a-[0-9a-f]{32}$/);
    assert(feedback.createTime >= before - 1000 && feedback.createTime <= Date.now() + 1000);
    assertEquals(feedback, {
      assessmentId: feedback.assessmentId,
      traceId,
      spanId: sample.rootId,
      name: "relevance",
      kind: "feedback",
      value: 0.5,
      source: { type: "LLM_JUDGE", id: "judge-1" },
      rationale: "half of it – 'so'",
      metadata: { k: "v" },
      createTime: feedback.createTime,
      lastUpdateTime: feedback.lastUpdateTime,
      valid: true,
    });
    const expectation = await store.logExpectation(traceId, { name: "facts", value: { capital: "Paris", list: [1] } });
    assertEquals([expectation.kind, expectation.source], ["expectation", { type: "HUMAN", id: "default" }]);
    const found = await store.getAssessments(traceId);
    assertEquals(found.toSorted((a, b) => a.name < b.name ? 1 : -1), [feedback, expectation]);
    assertEquals((await store.getTrace(traceId)).info.assessments, found);
    const { items: [info] } = await store.searchTraces({ experimentIds: [experimentId] });
    assertEquals(info?.assessments, found);
  });

  testStore(suite, "logFeedback() keeps values of each kind", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    await store.logSpans(experimentId, [sample.root()]);
    for (const value of [true, false, 3, -0.25, "yes", "Grüße", ["a", "b"], { a: { b: 1 } }]) {
      assertEquals((await store.logFeedback(sample.traceId, { name: "x", value })).value, value);
    }
    const failed = await store.logFeedback(sample.traceId, {
      name: "x",
      error: { code: "SCORER_ERROR", message: "it broke" },
    });
    assertEquals([failed.value, failed.error], [null, { code: "SCORER_ERROR", message: "it broke" }]);
  });

  testStore(suite, "logFeedback() takes the place of another one", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    await store.logSpans(experimentId, [sample.root()]);
    const { assessmentId } = await store.logFeedback(sample.traceId, { name: "good", value: true });
    const later = await store.logFeedback(sample.traceId, { name: "good", value: false, overrides: assessmentId });
    const validity = async () =>
      Object.fromEntries((await store.getAssessments(sample.traceId)).map((one) => [one.assessmentId, one.valid]));
    assertEquals(later.overrides, assessmentId);
    assertEquals(await validity(), { [assessmentId]: false, [later.assessmentId]: true });
    await store.deleteAssessment(sample.traceId, later.assessmentId);
    assertEquals(await validity(), { [assessmentId]: true });
    await store.deleteAssessment(sample.traceId, later.assessmentId);
    await store.deleteAssessment(sample.traceId, assessmentId);
    assertEquals(await store.getAssessments(sample.traceId), []);
  });

  testStore(suite, "logFeedback() refuses what is no judgement", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    await store.logSpans(experimentId, [sample.root()]);
    const { traceId } = sample;
    await assertRefused(() => store.logFeedback(traceId, { name: "", value: 1 }), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => store.logFeedback(traceId, { name: "x" }), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => store.logFeedback(traceId, { name: "x", value: NaN }), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => store.logExpectation(traceId, { name: "x", value: null }), "INVALID_PARAMETER_VALUE");
    await assertRefused(
      () => store.logFeedback(sampleTrace().traceId, { name: "x", value: 1 }),
      "RESOURCE_DOES_NOT_EXIST",
    );
    await assertRefused(() => store.getAssessments(sampleTrace().traceId), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await store.getAssessments(traceId), []);
  });
}
