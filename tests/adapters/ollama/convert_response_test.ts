import { assertEquals } from "@std/assert";
import type { AnswerPart } from "../../../streaming/mod.ts";
import type { AnswerPlan } from "../../../adapters/ollama/convert_request.ts";
import { AnswerConverter } from "../../../adapters/ollama/convert_response.ts";
import type { OllamaChatRecord } from "../../../adapters/ollama/wire.ts";
import { call, convert, done, FORCED, PLAN, text } from "./_answer_records.ts";

interface Case {
  readonly name: string;
  readonly records: readonly OllamaChatRecord[];
  readonly plan?: Partial<AnswerPlan>;
  readonly parts: readonly AnswerPart[];
}

const CASES: readonly Case[] = [
  {
    name: "text, piece by piece",
    records: [text("Hel"), text("lo"), done()],
    parts: [{ content: "Hel" }, { content: "lo" }, { finish_reason: "stop" }],
  },
  {
    name: "all in one record",
    records: [done({ message: { content: "Hi", thinking: "Hm" }, done_reason: "length" })],
    parts: [{ reasoning: "Hm", content: "Hi", finish_reason: "length" }],
  },
  { name: "an empty answer", records: [done({ eval_count: 1 })], parts: [{ finish_reason: "stop" }] },
  {
    name: "empty records say nothing",
    records: [text(""), { done: false }, text("x"), done()],
    parts: [{ content: "x" }, { finish_reason: "stop" }],
  },
  {
    name: "a reason without done",
    records: [text("x"), { message: { content: "" }, done_reason: "length" }],
    parts: [{ content: "x" }, { finish_reason: "length" }],
  },
  {
    name: "done without a reason",
    records: [{ message: { content: "x" }, done: true }],
    parts: [{ content: "x", finish_reason: "stop" }],
  },
  {
    name: "what comes after the end is nothing to us",
    records: [done(), text("late"), done()],
    parts: [{ finish_reason: "stop" }],
  },
  {
    name: "calls from any record, the last included, with ids that differ",
    records: [
      { message: { content: "", tool_calls: [call("f", { a: 1 }, "x")] }, done: false },
      done({ message: { content: "", tool_calls: [call("f", { a: 2 }, "x"), call("g", {}), call("h", {}, "")] } }),
    ],
    parts: [
      { tool_calls: [{ id: "x", type: "function", function: { name: "f", arguments: { a: 1 } } }] },
      {
        tool_calls: [
          { type: "function", function: { name: "f", arguments: { a: 2 } } },
          { type: "function", function: { name: "g", arguments: {} } },
          { type: "function", function: { name: "h", arguments: {} } },
        ],
        finish_reason: "stop",
      },
    ],
  },
  {
    name: "one call only, if no more are wanted",
    records: [
      { message: { tool_calls: [call("f", { a: 1 }), call("g", {})] }, done: false },
      { message: { tool_calls: [call("h", {})] }, done: false },
      done(),
    ],
    plan: { maxCalls: 1 },
    parts: [
      { tool_calls: [{ type: "function", function: { name: "f", arguments: { a: 1 } } }] },
      { finish_reason: "stop" },
    ],
  },
  {
    name: "the deprecated form",
    records: [{ message: { tool_calls: [call("f", { a: 1 }), call("g", {})] }, done: false }, done()],
    plan: { deprecated: true, maxCalls: 1 },
    parts: [{ function_call: { name: "f", arguments: '{"a":1}' } }, { finish_reason: "stop" }],
  },
  {
    name: "a demanded call does not leak as text",
    records: [text('{"name": "f", '), text('"arguments": {"a": 1}}'), done()],
    plan: { forced: FORCED, toolsOffered: true },
    parts: [{
      tool_calls: [{ type: "function", function: { name: "f", arguments: { a: 1 } } }],
      finish_reason: "stop",
    }],
  },
  {
    name: "a demanded call that the model made by itself",
    records: [text(" "), { message: { tool_calls: [call("f", {}, "x")] }, done: false }, done()],
    plan: { forced: FORCED, toolsOffered: true },
    parts: [
      { tool_calls: [{ id: "x", type: "function", function: { name: "f", arguments: {} } }] },
      { finish_reason: "stop" },
    ],
  },
  {
    name: "a demanded call after thinking",
    records: [{ message: { thinking: "Hm" } }, text('{"name":"f","arguments":{}}'), done()],
    plan: { forced: FORCED, toolsOffered: true },
    parts: [
      { reasoning: "Hm" },
      { tool_calls: [{ type: "function", function: { name: "f", arguments: {} } }], finish_reason: "stop" },
    ],
  },
  {
    name: "a demanded call cut off by the limit",
    records: [text('{"name": "f", "argu'), done({ done_reason: "length" })],
    plan: { forced: FORCED, toolsOffered: true },
    parts: [{ finish_reason: "length" }],
  },
  {
    name: "unwanted thinking",
    records: [text("<th"), text("ink>secret</thi"), text("nk>\n"), text("\nHi"), text(" <think>"), done()],
    plan: { stripThinking: true },
    parts: [{ content: "Hi" }, { content: " <think>" }, { finish_reason: "stop" }],
  },
  {
    name: "what only looked like thinking",
    records: [text("<"), done({ message: { content: "t" } })],
    plan: { stripThinking: true },
    parts: [{ content: "<t", finish_reason: "stop" }],
  },
];

for (const { name, records, plan = {}, parts } of CASES) {
  Deno.test(`AnswerConverter makes parts of records: ${name}`, () => {
    assertEquals(convert(records, plan).parts, parts);
  });
}

Deno.test("AnswerConverter marks the parts of further answers", () => {
  const converter = new AnswerConverter(PLAN, 2);
  assertEquals(converter.push(text("x")), { index: 2, content: "x" });
  assertEquals(converter.push(done()), { index: 2, finish_reason: "stop" });
});

Deno.test("AnswerConverter sums up counts and durations in milliseconds, absent counts being 0", () => {
  assertEquals(convert([done()]).outcome, {
    usage: { prompt_tokens: 0, completion_tokens: 0 },
    outputs: {},
    unexplainedLength: false,
  });
  const { outcome } = convert([done({
    total_duration: 122_356_918,
    load_duration: 2_000_000,
    prompt_eval_count: 12,
    prompt_eval_cached_count: 5,
    prompt_eval_duration: 1,
    eval_count: 19,
    eval_duration: 500_000,
  })]);
  assertEquals(outcome, {
    usage: { prompt_tokens: 12, completion_tokens: 19, prompt_tokens_details: { cached_tokens: 5 } },
    outputs: { total_duration: 122.356918, load_duration: 2, prompt_eval_duration: 0.000001, eval_duration: 0.5 },
    unexplainedLength: false,
  });
});

Deno.test("AnswerConverter tells a full window from a limit that was reached", () => {
  const cut = (evalCount: number, plan: Partial<AnswerPlan>, reason = "length") => {
    const { outcome } = convert([done({ done_reason: reason, prompt_eval_count: 2, eval_count: evalCount })], plan);
    return [outcome.outputs, outcome.unexplainedLength];
  };
  assertEquals(cut(5, { numPredict: 5 }), [{}, false]);
  assertEquals(cut(4, { numPredict: 5 }), [{ context_full: true }, false]);
  assertEquals(cut(4, { numPredict: 5 }, "stop"), [{}, false]);
  assertEquals(cut(4, {}), [{}, true]);
  assertEquals(cut(511, { numPredict: 511, numCtx: 512 }), [{ context_shifted: true }, false]);
  assertEquals(cut(510, { numPredict: 510, numCtx: 512 }), [{}, false]);
  // A window of 64 may be run as one of 256.
  assertEquals(cut(150, { numPredict: 150, numCtx: 64 }), [{}, false]);
});

Deno.test("AnswerConverter counts the calls it drops", () => {
  const { outcome } = convert(
    [done({ message: { tool_calls: [call("f", {}), call("g", {}), call("h", {})] } })],
    { maxCalls: 1 },
  );
  assertEquals(outcome.outputs, { dropped_tool_calls: 2 });
});
