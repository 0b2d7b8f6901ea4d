import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { AnswerPlan } from "../../../adapters/ollama/convert_request.ts";
import { AnswerConverter } from "../../../adapters/ollama/convert_response.ts";
import { convertMessages } from "../../../adapters/ollama/convert_messages.ts";
import { RequestIssues } from "../../../adapters/ollama/_request_issues.ts";
import { parseExactly } from "../../../adapters/ollama/_large_numbers.ts";
import { accumulate, normalise } from "../../../streaming/mod.ts";
import { ChatModelError, UpstreamError, ValidationError } from "../../../types/mod.ts";
import { startFakeUpstream, text as textAnswer } from "../../support/fake_upstream.ts";
import { load, MESSAGES } from "./_ollama_model.ts";

function convertArguments(text: string): unknown {
  const issues = new RequestIssues();
  const call = { id: "a", type: "function", function: { name: "f", arguments: text } } as const;
  const messages = [{ role: "user", content: "x" }, { role: "assistant", tool_calls: [call] }] as const;
  const [, converted] = convertMessages(messages, issues, { allowedImageHosts: [] }).messages;
  issues.throwIfAny();
  return converted?.tool_calls?.[0]?.function.arguments;
}

Deno.test("convertMessages() refuses arguments with a number that JSON.parse() makes Infinity of", () => {
  for (const text of ['{"a":1e400}', '{"a":{"b":[1,-1e999]}}', `{"a":${"9".repeat(400)}}`]) {
    const error = assertThrows(() => convertArguments(text), ValidationError);
    assertEquals(error.issues, [{
      path: "messages.1.tool_calls.0.function.arguments",
      message: "must not hold numbers that are too large, such as 1e400. Write them as strings",
    }]);
  }
});

Deno.test("convertMessages() keeps the largest numbers, and large ones in strings", () => {
  assertEquals(convertArguments('{"a":1.7976931348623157e308,"b":"1e400"}'), { a: Number.MAX_VALUE, b: "1e400" });
});

const PLAN: AnswerPlan = {
  toolsOffered: true,
  maxCalls: Infinity,
  deprecated: false,
  logprobs: false,
  stripThinking: false,
};

Deno.test("AnswerConverter.push() refuses a call with a number too large for JSON", () => {
  const call = { function: { name: "f", arguments: JSON.parse('{"a":[{"b":1e400}]}') } };
  const record = { message: { role: "assistant", content: "", tool_calls: [call] }, done: false };
  for (const deprecated of [false, true]) {
    const converter = new AnswerConverter({ ...PLAN, deprecated });
    const error = assertThrows(() => converter.push(record), UpstreamError, 'call of "f" hold a number too large');
    assertEquals([error.code, error.retryable], ["invalid_tool_arguments", true]);
  }
});

Deno.test("normalise() refuses arguments with a number that JSON would write as null", async () => {
  for (const number of [Infinity, -Infinity, NaN]) {
    const part = { tool_calls: [{ function: { name: "f", arguments: { deep: [number] } } }] };
    const error = await assertRejects(
      () => accumulate(normalise([part])),
      ChatModelError,
      "a value that JSON can hold",
    );
    assertEquals(error.code, "invalid_model_output");
  }
});

const LONG = '{"id":12345678901234567890,"list":[-9007199254740993,9007199254740991],"f":0.12345678901234568}';

Deno.test("convertMessages() hands integers beyond 2^53 on as they stand", () => {
  assertEquals(JSON.stringify(convertArguments(LONG)), LONG);
});

for (const stream of [false, true]) {
  Deno.test(`OllamaChatModel keeps integers beyond 2^53 in a call (${stream ? "streamed" : "whole"})`, async () => {
    const call = `{"function":{"name":"f","arguments":${LONG}}}`;
    const native = `{"message":{"role":"assistant","content":"","tool_calls":[${call}]},"done":true}\n`;
    const content = JSON.stringify(`{"name": "f", "arguments": ${LONG}}`);
    const written = `{"message":{"role":"assistant","content":${content}},"done":true}\n`;
    const headers = { "content-type": "application/x-ndjson" };
    for (const body of [native, written]) {
      await using upstream = await startFakeUpstream(() => textAnswer(body, { headers }));
      const model = await load(upstream);
      const parameters = { type: "object", properties: { id: { type: "integer", minimum: 5 } }, required: ["id"] };
      const request = {
        messages: MESSAGES,
        tools: [{ type: "function", function: { name: "f", parameters } }],
        tool_choice: "required",
      } as const;
      const answer = stream ? await accumulate(model.predictStream(request)) : await model.predict(request);
      const [made] = answer.choices[0]?.message.tool_calls ?? [];
      assertEquals(made?.type === "function" && made.function.arguments, LONG);
    }
  });
}

Deno.test("AnswerConverter.push() keeps integers beyond 2^53 in the deprecated form", () => {
  const call = { function: { name: "f", arguments: { id: parseExactly("12345678901234567890") } } };
  const part = new AnswerConverter({ ...PLAN, deprecated: true }).push({ message: { tool_calls: [call] } });
  assertEquals(part?.function_call?.arguments, '{"id":12345678901234567890}');
});
