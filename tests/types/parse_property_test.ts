import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as types from "../../types/mod.ts";

const { ValidationError } = types;

const PARSERS = [
  types.parseChatRequest,
  types.parseChatMessage,
  types.parseChatParams,
  types.parseChatResponse,
  types.parseChatChunk,
  types.parseErrorResponse,
  types.parseModelList,
];

const json = fc.jsonValue();
const orJson = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: json });
const anyOf = (...values: readonly unknown[]) => orJson(fc.constantFrom(...values));

// Nearly right JSON goes deeper than arbitrary JSON, which is refused at the first field.
const part = orJson(fc.record({
  type: anyOf("text", "image_url", "input_audio", "file", "refusal", "video_url"),
  text: orJson(fc.string()),
  image_url: anyOf("u", { url: "u" }, { url: null, detail: null }),
  file: anyOf({}, { file_id: null }),
}, { requiredKeys: [] }));
const call = orJson(fc.record({
  id: anyOf("1", null),
  type: anyOf("function", "custom"),
  function: anyOf({ name: "f", arguments: "" }, { name: null }),
  ["__proto__"]: json,
}, { requiredKeys: [] }));
const message = orJson(fc.record({
  role: anyOf("system", "developer", "user", "assistant", "tool", "function", "constructor"),
  content: fc.oneof(fc.string(), fc.constant(null), fc.array(part, { maxLength: 3 }), json),
  tool_calls: orJson(fc.array(call, { maxLength: 3 })),
  tool_call_id: anyOf("1"),
  name: anyOf("a", null),
  ["__proto__"]: json,
  constructor: json,
}, { requiredKeys: [] }));
const body = orJson(fc.record({
  messages: orJson(fc.array(message, { maxLength: 20 })),
  model: anyOf("m", null),
  temperature: anyOf(0, 3, null, NaN, Infinity),
  n: anyOf(1, 0, 1.5),
  stop: anyOf("a", ["a"], [1], null),
  logit_bias: anyOf({ "1": 1 }, { a: "b" }, null),
  tools: anyOf([], [{ type: "function", function: { name: "f" } }], [{ type: "custom" }], {}),
  tool_choice: anyOf("auto", "x", null, { type: "function" }, []),
  response_format: anyOf({ type: "text" }, { type: "json_schema", json_schema: { name: "a", schema: null } }),
  stream_options: anyOf({ include_usage: null }, []),
  choices: anyOf([], [{ index: 0, message: { role: "assistant" }, delta: {}, finish_reason: "stop" }]),
  usage: anyOf(null, {}),
  extra: json,
  ["__proto__"]: json,
  prototype: json,
}, { requiredKeys: [] }));

Deno.test("parse functions throw nothing but ValidationError and never change their input, whatever it is", () => {
  fc.assert(
    fc.property(fc.oneof(body, message, json, fc.anything()), (input) => {
      const before = fc.stringify(input);
      for (const parse of PARSERS) {
        try {
          parse(input);
        } catch (error) {
          assert(error instanceof ValidationError);
          assert(error.issues.length > 0);
        }
      }
      assertEquals(fc.stringify(input), before);
    }),
    { numRuns: 1500 },
  );
});

function outcomeOf(parse: (input: unknown) => unknown, input: unknown): { readonly value: unknown } | undefined {
  try {
    return { value: parse(input) };
  } catch {
    return undefined;
  }
}

Deno.test("parse functions give what they gave before when they are given that", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(body, message), (input) => {
      for (const parse of PARSERS.slice(1)) {
        const first = outcomeOf(parse, input);
        if (first === undefined) continue;
        accepted++;
        assertEquals(JSON.stringify(parse(first.value)), JSON.stringify(first.value));
      }
    }),
    { numRuns: 1000 },
  );
  assert(accepted > 20);
});

Deno.test("parseChatRequest() loses no field that is not null", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json, { noNullPrototype: true }), (fields) => {
      const input = JSON.parse(JSON.stringify({ ...fields, messages: [{ role: "user", content: "a" }] }));
      const first = outcomeOf(types.parseChatRequest, input);
      if (first === undefined) return;
      assert(first.value instanceof types.ChatRequest);
      accepted++;
      const { messages, model, params: { extra, ...known } } = first.value;
      const kept = { messages, ...(model === undefined ? {} : { model }), ...known, ...extra };
      const lost = Object.keys(input).filter((name) => !Object.hasOwn(kept, name));
      assert(lost.every((name) => input[name] === null));
      assertEquals(Object.keys(kept).length, Object.keys(input).length - lost.length);
      assertEquals(messages.length, 1);
    }),
    { numRuns: 500 },
  );
  assert(accepted > 100);
});
