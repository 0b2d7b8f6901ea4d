/** `cli.ts traces`: what was logged is listed, shown as a tree, and judged. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { traceTree } from "../../cli/_trace_tree.ts";
import { formatDuration, oneLine } from "../../cli/_trace_text.ts";
import type { TraceSpan } from "../../tracking/mod.ts";
import { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";
import { sampleTrace, START_NS, tokens } from "../tracking/traces/support.ts";
import { workplace } from "./_cli.ts";

Deno.test("cli.ts traces lists, shows and judges traces", async () => {
  await using place = await workplace();
  const [sample, failed] = [sampleTrace(), sampleTrace()];
  {
    await using store = SqliteStore.open(`sqlite:///${join(place.path, "mlflow.db")}`);
    const experimentId = await store.createExperiment({ name: "assistant" });
    const { attributes } = sample.root();
    await store.logSpans(experimentId, [
      sample.root({ attributes: { ...attributes, ...tokens(11, 4), "session.id": "s1" } }),
      sample.child({
        name: "look\u001b[31mup",
        status: { code: "ERROR", message: "not found" },
        attributes: { "mlflow.spanType": "TOOL", "mlflow.spanInputs": { q: "long ".repeat(100) } },
        events: [{ name: "exception", time: START_NS, attributes: { "exception.message": "no such city" } }],
      }),
    ], { tags: { env: "dev" } });
    await store.logSpans("0", [
      failed.root({ name: "broken", startTime: START_NS + 1_000_000_000n, status: { code: "ERROR" } }),
    ]);
  }
  const all = await place.json(["traces", "list", "--json"]);
  assertEquals(all.map((trace: { name: string }) => trace.name), ["broken", "chat demo"]);
  const [one, ...others] = await place.json(["traces", "list", "--experiment", "assistant", "--json"]);
  assertEquals(others, []);
  assertEquals([one.trace_id, one.state, one.token_usage.total_tokens], [sample.traceId, "OK", 15]);
  assertEquals((await place.json(["traces", "list", "--filter", "status = 'ERROR'", "--json"])).length, 1);
  assertEquals((await place.json(["traces", "list", "--max-results", "1", "--json"])).length, 1);
  const list = await place.run(["traces", "list"]);
  assertMatch(list.stdout, /TRACE ID\s+NAME\s+STATE\s+STARTED\s+TOOK\s+TOKENS\s+REQUEST/);
  assertMatch(list.stdout, new RegExp(`${sample.traceId}  chat demo  OK +2026-11-18 11:06:40  1.50 s  15 +Grüße`));

  const judged = await place.json([
    ...["traces", "feedback", sample.traceId, "--name", "relevance", "--value", "0.5", "--rationale", "half", "--json"],
  ]);
  assertEquals([judged.value, judged.source.source_type, judged.rationale], [0.5, "HUMAN", "half"]);
  const said = await place.run(["traces", "feedback", sample.traceId, "--name", "good", "--value", "yes"]);
  assertMatch(said.stdout, /^Logged a-[0-9a-f]{32}: good · yes · HUMAN /);

  const { stdout } = await place.run(["traces", "show", sample.traceId]);
  const [head = "", tree = "", assessments = ""] = stdout.split("\n\n");
  assertMatch(head, new RegExp(`^Trace +${sample.traceId} chat demo\nState +OK\n`));
  assertMatch(head, /\nTokens +15 \(11 in, 4 out\)\nSession +s1\nTags +env=dev$/);
  assertEquals(tree.split("\n").map((line) => line.slice(0, 60)), [
    "chat demo  CHAT_MODEL  1.50 s  15 tokens",
    "│    in   Grüße",
    "│    out  Hi 😀",
    "└─ look\\u001b[31mup  TOOL  500 ms  ERROR: not found",
    `        in   {"q":"long long long long long long long long l`,
    "        err  no such city",
  ]);
  assertEquals(tree.split("\n")[4]?.endsWith("…"), true);
  assertMatch(assessments, /^Assessments\n {2}relevance · 0.5 · HUMAN [^\n]* · half\n {2}good · yes/);

  const whole = await place.json(["traces", "show", sample.traceId, "--json"]);
  assertEquals(whole.info.assessments.length, 2);
  assertEquals(whole.data.spans[0].start_time_unix_nano, String(START_NS));
  assertEquals(whole.data.spans[1].attributes["mlflow.spanInputs"].q, "long ".repeat(100));
});

Deno.test("cli.ts traces says what is wrong, and what to do", async () => {
  await using place = await workplace();
  const cases = [
    [["traces", "show", "tr-0"], 1, "'cli.ts traces list' lists them"],
    [["traces", "show"], 2, "TRACE_ID is missing"],
    [["traces", "feedback", "tr-0", "--name", "x"], 2, "--value VALUE is missing"],
    [["traces", "feedback", "tr-0", "--name", "x", "--value", "null"], 2, "--value must be a judgement"],
    [["traces", "list", "--filter", "colour = 1"], 1, "colour"],
    [["traces", "list", "--experiment", "nope"], 1, "'cli.ts experiments list' shows"],
    [["traces", "lst"], 2, "Did you mean 'traces list'?"],
  ] as const;
  for (const [args, code, message] of cases) {
    const ended = await place.run(args);
    assertEquals([ended.code, ended.stdout], [code, ""], ended.stderr);
    assertStringIncludes(ended.stderr, message);
  }
  assertEquals((await place.run(["traces", "list", "--json"])).stdout, "[]\n");
});

/** A span of a tree. */
function span(spanId: string, parentId: string | undefined, changes: Partial<TraceSpan> = {}): TraceSpan {
  return {
    traceId: "tr-1",
    spanId,
    ...(parentId !== undefined && { parentId }),
    name: spanId,
    startTime: 0n,
    endTime: 2_000n,
    status: { code: "UNSET" },
    attributes: {},
    events: [],
    links: [],
    ...changes,
  };
}

Deno.test("traceTree() shows every span once, wherever its parent is", () => {
  const { endTime: _, ...open } = span("d", "b");
  assertEquals(traceTree([span("a", undefined), span("b", "a"), span("c", "a"), open, span("e", "missing")]), [
    "a  2 µs",
    "├─ b  2 µs",
    "│  └─ d  not ended",
    "└─ c  2 µs",
    "e  2 µs",
  ]);
  // Parents of each other.
  assertEquals(traceTree([span("a", "b"), span("b", "a")]), ["a  2 µs", "└─ b  2 µs"]);
  const deep = Array.from({ length: 3_000 }, (_, i) => span(String(i), i === 0 ? undefined : String(i - 1)));
  assertEquals(traceTree(deep).length, 3_000);
});

Deno.test("oneLine() and formatDuration() make text for people", () => {
  assertEquals(oneLine("a\n\tb  c"), "a b c");
  assertEquals(oneLine("😀".repeat(200), 10), `${"😀".repeat(9)}…`);
  assertEquals(oneLine("\u0007\u202e"), "\\u0007\\u202e");
  assertEquals([0.0005, 0.35, 12, 1500, 61_000].map(formatDuration), [
    "1 µs",
    "350 µs",
    "12 ms",
    "1.50 s",
    "1 min 1 s",
  ]);
});
