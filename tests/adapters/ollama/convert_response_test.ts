import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UpstreamError } from "../../../types/mod.ts";
import type { AnswerPart } from "../../../streaming/mod.ts";
import type { AnswerPlan } from "../../../adapters/ollama/convert_request.ts";
import { AnswerConverter } from "../../../adapters/ollama/convert_response.ts";
import { compileParameters } from "../../../adapters/ollama/structured_output.ts";
import type { OllamaChatRecord } from "../../../adapters/ollama/wire.ts";

const PLAN: AnswerPlan = {
  toolsOffered: false,
  maxCalls: Infinity,
  deprecated: false,
  logprobs: false,
  stripThinking: false,
};
const FORCED = { checks: new Map([["f", () => {}]]), format: {} };
const CHECKED = {
  checks: new Map([
    [
      "f",
      compileParameters({
        name: "f",
        parameters: {
          type: "object",
          properties: { city: { type: "string", enum: ["Oslo", "Rome"] }, days: { type: "integer" } },
          required: ["city"],
        },
      }, "tools.0.function.parameters"),
    ],
    ["g", compileParameters({ name: "g" }, "tools.1.function.parameters")],
  ]),
  format: {},
};

function text(content: string): OllamaChatRecord {
  return { message: { role: "assistant", content }, done: false };
}

function done(more: OllamaChatRecord = {}): OllamaChatRecord {
  return { message: { role: "assistant", content: "" }, done: true, done_reason: "stop", ...more };
}

function call(name: string, input: { readonly [name: string]: unknown }, id?: string) {
  return { ...(id !== undefined && { id }), function: { name, arguments: input, index: 0 } };
}

function convert(records: readonly OllamaChatRecord[], plan: Partial<AnswerPlan> = {}) {
  const converter = new AnswerConverter({ ...PLAN, ...plan });
  const parts = records.map((record) => converter.push(record)).filter((part) => part !== undefined);
  return { parts, outcome: converter.finish() };
}

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

const FAILURES: readonly (readonly [string, readonly OllamaChatRecord[], Partial<AnswerPlan>, string])[] = [
  ["a model that was only loaded", [done({ done_reason: "load" })], {}, "upstream_error"],
  ["a model that was only unloaded", [done({ done_reason: "unload" })], {}, "upstream_error"],
  ["no end", [text("x")], {}, "upstream_incomplete"],
  ["no record", [], {}, "upstream_incomplete"],
  ["a lost call", [done({ eval_count: 8 })], { toolsOffered: true }, "tool_call_lost"],
  ["no call where one is demanded", [text("Sure!"), done()], { forced: FORCED }, "tool_call_lost"],
  ["nothing where a call is demanded", [done()], { forced: FORCED }, "tool_call_lost"],
  ["a call of another tool", [text('{"name":"g","arguments":{}}'), done()], { forced: FORCED }, "tool_call_lost"],
  ["a call without arguments", [text('{"name":"f","arguments":[]}'), done()], { forced: FORCED }, "tool_call_lost"],
];

for (const [name, records, plan, code] of FAILURES) {
  Deno.test(`AnswerConverter fails for ${name}`, () => {
    const error = assertThrows(() => convert(records, plan), UpstreamError);
    assertEquals([error.status, error.code], [502, code]);
  });
}

/** Arguments of a demanded call that do not follow the parameters, and what the error names. */
const BAD_ARGUMENTS: readonly (readonly [{ readonly [name: string]: unknown }, string])[] = [
  [{}, '"" is wrong by "required"'],
  [{ city: 5 }, '"city" is wrong by "type"'],
  [{ city: "confidential" }, '"city" is wrong by "enum"'],
  [{ city: "Oslo", days: "confidential" }, '"days" is wrong by "type"'],
];

for (const [input, place] of BAD_ARGUMENTS) {
  Deno.test(`AnswerConverter fails for a demanded call with arguments ${JSON.stringify(input)}`, () => {
    const written = [text(JSON.stringify({ name: "f", arguments: input })), done()];
    const called = [{ message: { tool_calls: [call("f", input)] }, done: false }, done()];
    for (const records of [written, called]) {
      for (const deprecated of [false, true]) {
        const error = assertThrows(() => convert(records, { forced: CHECKED, deprecated }), UpstreamError);
        assertEquals([error.status, error.code, error.retryable], [502, "invalid_tool_arguments", true]);
        assertStringIncludes(error.message, `call of "f" do not follow its parameters, as ${place}`);
        assert(!error.message.includes("confidential"), error.message);
      }
    }
    // Nobody asked for a check of what the model chose to do.
    assertEquals(convert(called, { toolsOffered: true }).parts.length, 2);
  });
}

Deno.test("AnswerConverter hands on a demanded call that follows, or that the limit has ended", () => {
  const called = (name: string, input: unknown, reason = "stop") => {
    const records = [text(JSON.stringify({ name, arguments: input })), done({ done_reason: reason })];
    const { parts } = convert(records, { forced: CHECKED });
    return parts.flatMap((part) => part.tool_calls ?? []).map((part) => part.function?.arguments);
  };
  assertEquals(called("f", { city: "Oslo", days: 2 }), [{ city: "Oslo", days: 2 }]);
  assertEquals(called("g", { anything: [1] }), [{ anything: [1] }]);
  assertEquals(called("f", { city: 5 }, "length"), [{ city: 5 }]);
});

Deno.test("AnswerConverter does not check demanded calls that it leaves out", () => {
  const records = [{ message: { tool_calls: [call("f", { city: "Oslo" }), call("f", {})] } }, done()];
  const { outcome } = convert(records, { forced: CHECKED, maxCalls: 1 });
  assertEquals(outcome.outputs, { dropped_tool_calls: 1 });
  assertThrows(() => convert(records, { forced: CHECKED }), UpstreamError, '"" is wrong by "required"');
});

Deno.test("AnswerConverter takes an answer for lost only if nothing came of its tokens", () => {
  const kept: readonly (readonly OllamaChatRecord[])[] = [
    [done({ eval_count: 1 })],
    [done({ eval_count: 8, done_reason: "length" })],
    [text(" "), done({ eval_count: 8 })],
    [{ message: { thinking: "Hm" } }, done({ eval_count: 8 })],
    [{ message: { tool_calls: [call("f", {})] } }, done({ eval_count: 8 })],
  ];
  const reasons = kept.map((records) => convert(records, { toolsOffered: true }).parts.at(-1)?.finish_reason);
  assertEquals(reasons, ["stop", "length", "stop", "stop", "stop"]);
  // Text that was taken out as unwanted thinking was there nevertheless.
  const stripped = convert([text("<think>x</think>"), done({ eval_count: 8 })], {
    toolsOffered: true,
    stripThinking: true,
  });
  assertEquals(stripped.parts.at(-1)?.finish_reason, "stop");
});

Deno.test("AnswerConverter checks the text as a whole, unless it was cut off or there are calls", () => {
  const seen: string[] = [];
  const check = (text: string) => {
    seen.push(text);
    if (text !== '{"a":1}') throw new UpstreamError("Wrong", { code: "invalid_structured_output" });
  };
  assertEquals(convert([text('{"a"'), text(":1}"), done()], { check }).parts.length, 3);
  assertThrows(() => convert([text('{"a"'), text(":2}"), done()], { check }), UpstreamError, "Wrong");
  convert([text('{"a"'), done({ done_reason: "length" })], { check });
  convert([{ message: { tool_calls: [call("f", {})] } }, done()], { check });
  assertEquals(seen, ['{"a":1}', '{"a":2}']);
});

Deno.test("AnswerConverter gives log probabilities of the text only", () => {
  const token = (token: string) => ({ token, logprob: -1 });
  const tokens = (...texts: string[]) => texts.map(token);
  const plan = { logprobs: true };
  const kept = (records: readonly OllamaChatRecord[], more: Partial<AnswerPlan> = {}) =>
    convert(records, { ...plan, ...more }).parts.map((part) => part.logprobs?.content?.map(({ token }) => token));
  const streamed = (content: string, ...texts: string[]) => ({ ...text(content), logprobs: tokens(...texts) });

  assertEquals(kept([streamed("Hi", "Hi"), streamed("!", "!"), done()]), [["Hi"], ["!"], undefined]);
  // A cut character: its first half came with a record of its own.
  assertEquals(kept([streamed("", "\ufffd"), streamed("ß", "\ufffd"), done()]), [["\ufffd", "\ufffd"], undefined]);
  assertEquals(
    kept([
      { message: { thinking: "Hm" }, logprobs: tokens("Hm") },
      streamed("", "</t", "hink>"),
      streamed("Hi", "Hi"),
      done(),
    ]),
    [
      undefined,
      ["Hi"],
      undefined,
    ],
  );
  assertEquals(
    kept([
      streamed("", "<tool"),
      { message: { tool_calls: [call("f", {})] }, logprobs: tokens(">") },
      streamed("", "</tool>"),
      done(),
    ]),
    [
      undefined,
      undefined,
    ],
  );
  // What was held before the thinking is forgotten, so that a cut character is still known to be the text's.
  assertEquals(
    kept([
      streamed("", "<th"),
      { message: { thinking: "Hm" }, logprobs: tokens("Hm") },
      streamed("ß", "\ufffd"),
      done(),
    ]),
    [undefined, ["\ufffd"], undefined],
  );
  // Not streamed, all tokens stand in one record.
  assertEquals(
    kept([
      done({
        message: { content: "Hi you", thinking: "Hi" },
        logprobs: tokens("<think>", "Hi you!", "</think>", "Hi", " you"),
      }),
    ]),
    [
      ["Hi", " you"],
    ],
  );
  assertEquals(
    kept([
      done({
        message: { content: "Hi ", tool_calls: [call("f", {})] },
        logprobs: tokens("Hi ", "<tool>", "Hi there", "</tool>"),
      }),
    ]),
    [
      ["Hi "],
    ],
  );
  assertEquals(kept([streamed("before ", "bef", "ore ", "STOP"), done()]), [["bef", "ore "], undefined]);
  assertEquals(
    kept([streamed("<think>x", "<think>", "x"), streamed("</think>", "</think>"), streamed("Hi", "Hi"), done()], {
      stripThinking: true,
    }),
    [
      ["Hi"],
      undefined,
    ],
  );
  // Those of a demanded call are not those of a text.
  assertEquals(kept([streamed('{"name":"f","arguments":{}}', "{…}"), done()], { forced: FORCED }), [undefined]);
});

Deno.test("AnswerConverter puts tokens into OpenAI's form", () => {
  const { parts } = convert([
    {
      ...text("a"),
      logprobs: [{ token: "a", logprob: -0.5, bytes: [97], top_logprobs: [{ token: "", logprob: -55.2 }] }],
    },
    done(),
  ], { logprobs: true });
  assertEquals(parts[0]?.logprobs, {
    content: [{
      token: "a",
      logprob: -0.5,
      bytes: [97],
      top_logprobs: [{ token: "", logprob: -55.2, bytes: null }],
    }],
  });
});
