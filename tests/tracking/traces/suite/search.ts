import { assertEquals } from "@std/assert";
import type { TrackingStore } from "@chatmodel/chat-model/tracking";
import { assertRefused, collectPages, testStore } from "../../suite/support.ts";
import type { TraceSuite } from "../trace_suite.ts";
import { type SampleTrace, sampleTrace, START_MS, START_NS, tokens } from "../support.ts";

/** Three traces: the first failed, the second has a tool, the third a session. */
async function logThree(store: TrackingStore, experimentId: string): Promise<SampleTrace[]> {
  const samples = [sampleTrace(), sampleTrace(), sampleTrace()];
  const times = samples.map((_, index) => ({
    startTime: START_NS + BigInt(index) * 1_000_000_000n,
    endTime: START_NS + BigInt(index) * 1_000_000_000n + BigInt(index + 1) * 100_000_000n,
  }));
  const [first, second, third] = samples;
  await store.logSpans(
    experimentId,
    [first?.root({ ...times[0], name: "one", status: { code: "ERROR" } })].flatMap(some),
    {
      tags: { env: "dev" },
    },
  );
  await store.logSpans(
    experimentId,
    [
      second?.root({ ...times[1], name: "two" }),
      second?.child({ ...times[1], name: "weather", attributes: { "mlflow.spanType": "TOOL", city: "Rome" } }),
    ].flatMap(some),
    { tags: { env: "prod", "team-name": "x" } },
  );
  await store.logSpans(
    experimentId,
    [third?.root({ ...times[2], name: "three", attributes: { ...tokens(1, 2), "session.id": "s'1" } })].flatMap(some),
  );
  return samples;
}

function some<Item>(item: Item | undefined): Item[] {
  return item === undefined ? [] : [item];
}

/** Searching for traces. */
export function searchTests(suite: TraceSuite): void {
  testStore(suite, "searchTraces() finds what a filter says", async ({ store, experimentId }) => {
    const samples = await logThree(store, experimentId);
    const [first = "", second = "", third = ""] = samples.map(({ traceId }) => traceId);
    await store.logFeedback(first, { name: "good", value: true });
    await store.logFeedback(second, { name: "good", value: false });
    await store.logFeedback(third, { name: "verdict", value: "fine" });
    const cases: readonly (readonly [filter: string, wanted: readonly string[]])[] = [
      ["", [third, second, first]],
      ["status = 'ERROR'", [first]],
      ["attributes.status != 'ERROR'", [third, second]],
      ["trace.status IN ('OK', 'ERROR')", [third, second, first]],
      ["name = 'two'", [second]],
      ["name LIKE 't%'", [third, second]],
      ["name RLIKE '^t.*e$'", [third]],
      [`timestamp_ms >= ${START_MS + 1000}`, [third, second]],
      [`timestamp < ${START_MS + 1000}`, [first]],
      ["execution_time_ms > 100", [third, second]],
      [`end_time_ms <= ${START_MS + 1200}`, [second, first]],
      [`request_id = '${first}'`, [first]],
      ["tags.env = 'dev'", [first]],
      ["tag.env != 'dev'", [second]],
      ["tags.env IS NULL", [third]],
      ["tags.env IS NOT NULL AND status = 'OK'", [second]],
      ["tags.`team-name` ILIKE 'X'", [second]],
      [`metadata.\`mlflow.trace.session\` = "s'1"`, [third]],
      ["metadata.`mlflow.trace.session` IS NULL", [second, first]],
      ["request_metadata.`mlflow.trace.tokenUsage` IS NOT NULL", [third]],
      ["metadata.`mlflow.trace_schema.version` = '3'", [third, second, first]],
      ["span.type = 'TOOL'", [second]],
      ["span.name = 'weather' AND span.type = 'TOOL'", [second]],
      ["span.name = 'weather' AND span.type = 'CHAT_MODEL'", []],
      ["span.status = 'ERROR'", [first]],
      ["span.attributes.city LIKE '%Rome%'", [second]],
      ["trace.text LIKE '%Rome%'", [second]],
      ["feedback.good = 'true'", [first]],
      ["feedback.good != 'true'", [second]],
      ["feedback.verdict = 'fine'", [third]],
      ["feedback.verdict IS NOT NULL", [third]],
      ["feedback.good IS NULL", [third]],
      ["expectation.good = 'true'", []],
    ];
    for (const [filter, wanted] of cases) {
      const { items } = await store.searchTraces({ experimentIds: [experimentId], filter });
      assertEquals(items.map(({ traceId }) => traceId), wanted, filter);
    }
  });

  testStore(suite, "searchTraces() compares numbers of judgements", async ({ store, experimentId }) => {
    if (suite.isOld) return;
    const samples = [0.25, 10, 9].map((value) => ({ sample: sampleTrace(), value }));
    for (const { sample, value } of samples) {
      await store.logSpans(experimentId, [sample.root()]);
      await store.logFeedback(sample.traceId, { name: "score", value });
    }
    const [low, ten, nine] = samples.map(({ sample }) => sample.traceId);
    const search = async (filter: string) =>
      (await store.searchTraces({ experimentIds: [experimentId], filter })).items.map(({ traceId }) => traceId);
    assertEquals(await search("feedback.score >= 10"), [ten]);
    assertEquals(await search("feedback.score < 9.5 AND feedback.score > 1"), [nine]);
    assertEquals(await search("feedback.score <= 0.25"), [low]);
  });

  testStore(suite, "searchTraces() orders, and gives page after page", async ({ store, experimentId }) => {
    const samples = await logThree(store, experimentId);
    const names = async (...orderBy: string[]) =>
      (await store.searchTraces({ experimentIds: [experimentId], orderBy })).items.map(({ name }) => name);
    assertEquals(await names(), ["three", "two", "one"]);
    assertEquals(await names("timestamp_ms ASC"), ["one", "two", "three"]);
    assertEquals(await names("execution_time DESC"), ["three", "two", "one"]);
    assertEquals(await names("status", "name DESC"), ["one", "two", "three"]);
    assertEquals(await names("tags.env DESC"), ["two", "one", "three"]);
    const items = await collectPages((options) => store.searchTraces({ experimentIds: [experimentId], ...options }));
    assertEquals(items.map(({ traceId }) => traceId), samples.map(({ traceId }) => traceId).toReversed());
  });

  testStore(suite, "searchTraces() refuses what it does not know", async ({ store, experimentId }) => {
    const search = (filter: string) => () => store.searchTraces({ experimentIds: [experimentId], filter });
    for (const filter of ["colour = 'red'", "span.colour = 'red'", "status ="]) {
      await assertRefused(search(filter), "INVALID_PARAMETER_VALUE");
    }
    for (const maxResults of [0, 501, 1.5]) {
      const action = () => store.searchTraces({ experimentIds: [experimentId], maxResults });
      await assertRefused(action, "INVALID_PARAMETER_VALUE");
    }
    await assertRefused(() => store.searchTraces({ experimentIds: [] }), "INVALID_PARAMETER_VALUE");
  });
}
