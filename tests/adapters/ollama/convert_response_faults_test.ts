import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UpstreamError } from "../../../types/mod.ts";
import type { AnswerPlan } from "../../../adapters/ollama/convert_request.ts";
import type { OllamaChatRecord } from "../../../adapters/ollama/wire.ts";
import { call, CHECKED, convert, done, FORCED, text } from "./_answer_records.ts";

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
