import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ChatModel, ValidationError } from "../../../mod.ts";
import {
  answerLength,
  contains,
  cost,
  evaluate,
  exactMatch,
  jsonEquality,
  jsonSchema,
  latency,
  numericTolerance,
  refusal,
  regexMatch,
  rougeL,
  timeToFirstToken,
  tokenCount,
  tokenF1,
  toolCallMatch,
} from "../../../evaluation/mod.ts";
import { words } from "../../../evaluation/scorers/_segments.ts";
import { all } from "../_models.ts";
import { calls, score, valuesOf } from "./_score.ts";

Deno.test("exactMatch() compares with one or several expected responses", async () => {
  const expectations = { expected_response: "Zürich" };
  assertEquals(
    await valuesOf(exactMatch(), ["Zürich", " Zürich\n", "Zu\u0308rich", "zürich", "Zürich."], expectations),
    [
      true,
      true,
      true,
      false,
      false,
    ],
  );
  assertEquals(await valuesOf(exactMatch({ ignoreCase: true }), ["ZÜRICH"], expectations), [true]);
  assertEquals(await valuesOf(exactMatch(), ["b", "c"], { expected_response: ["a", "b"] }), [true, false]);
  const { value, error } = await score(exactMatch(), "a");
  assertEquals(value, null);
  assert(error?.message.includes('"expectations.expected_response": must be a text'), error?.message);
});

Deno.test("contains() wants all facts, or one of the expected responses", async () => {
  assertEquals(await valuesOf(contains(), ["The sky is blue", "green"], { expected_response: "blue" }), [true, false]);
  assertEquals(await score(contains(), "red, blue", { expected_facts: ["red", "green", "blue"] }), {
    value: false,
    passed: false,
    rationale: "1 of 3 texts are not in the answer",
  });
  assertEquals(await valuesOf(contains({ texts: ["SKY"], ignoreCase: true }), ["the sky"]), [true]);
  assertThrows(() => contains({ texts: [] }), ValidationError, '"texts": must be at least one text');
});

Deno.test("regexMatch() matches by its own pattern or the row's, the same each time", async () => {
  assertEquals(await valuesOf(regexMatch({ pattern: /^\d+$/gm }), ["1", "1", "a"]), [true, true, false]);
  assertEquals(await valuesOf(regexMatch({ pattern: "^\\p{Lu}" }), ["Äther", "äther"]), [true, false]);
  assertEquals(await valuesOf(regexMatch(), ["42 km", "km"], { expected_pattern: "\\d+" }), [true, false]);
  assert(
    (await score(regexMatch(), "a", { expected_pattern: "(" })).error?.message.endsWith("is no regular expression"),
  );
  assertThrows(() => regexMatch({ pattern: "(" }), ValidationError, '"pattern": is no regular expression');
});

Deno.test("jsonSchema() checks the answer by its own schema or the row's, and names what is wrong", async () => {
  const schema = { type: "object", properties: { age: { type: "integer" } }, required: ["age"] };
  const scorer = jsonSchema({ schema });
  assertEquals(await valuesOf(scorer, ['{"age":3}', '{"age":"3"}', "{}", "no", '```json\n{"age":3}\n```']), [
    true,
    false,
    false,
    false,
    false,
  ]);
  const { rationale } = await score(scorer, '{"age":"secret"}');
  assertEquals(rationale, 'The answer does not follow the schema: "age" is wrong by "type"');
  assertEquals(await valuesOf(jsonSchema({ schema, allowFence: true }), ['So:\n```json\n{"age":3}\n```\nGood?']), [
    true,
  ]);
  assertEquals(await valuesOf(jsonSchema(), ["5", '"5"'], { expected_schema: { type: "number" } }), [true, false]);
  assertThrows(() => jsonSchema({ schema: { $ref: "#/nowhere" } }), ValidationError, "leads nowhere");
});

Deno.test("jsonEquality() compares values, and names the first place that differs", async () => {
  const expected_json = { a: [1, { b: null }], c: "x" };
  const answers = [
    '{"c":"x","a":[1.0,{"b":null}]}',
    '{"a":[1,{"b":null}],"c":"y"}',
    '{"a":[1],"c":"x"}',
    '{"a":[1,{}],"c":"x"}',
    '{"a":[1,{"b":null}],"c":"x","d":0}',
    "[]",
    "{",
  ];
  const found = [];
  for (const answer of answers) found.push((await score(jsonEquality(), answer, { expected_json })).rationale);
  assertEquals(found, [
    undefined,
    'The answer differs at "c"',
    'The answer differs at "a.1"',
    'The answer differs at "a.1.b"',
    'The answer differs at "d"',
    "The answer differs at its root",
    "The answer is no JSON",
  ]);
  assertEquals(await valuesOf(jsonEquality(), ["[1, 2]", "[2, 1]"], { expected_response: "[1,2]" }), [true, false]);
  assert((await score(jsonEquality(), "1", { expected_response: "no" })).error !== undefined);
});

Deno.test("toolCallMatch() compares names, arguments and order as told", async () => {
  const add = ["add", { a: 1, b: 2 }] as const;
  const find = ["find", { q: "x" }] as const;
  const expectations = { expected_tool_calls: [{ name: "add", arguments: { a: 1, b: 2 } }, { name: "find" }] };
  const answers = [
    calls(add, find),
    calls(["add", '{"b":2,"a":1}'], find),
    calls(find, add),
    calls(add),
    calls(add, find, add),
    calls(["add", { a: 1 }], find),
    calls(["add", { a: 1, b: 2, c: 3 }], find),
    calls(["add", "no json"], find),
    "no calls",
  ];
  const t = true;
  const f = false;
  assertEquals(await valuesOf(toolCallMatch(), answers, expectations), [t, t, f, f, f, f, f, f, f]);
  assertEquals(await valuesOf(toolCallMatch({ order: false }), answers, expectations), [t, t, t, f, f, f, f, f, f]);
  assertEquals(await valuesOf(toolCallMatch({ allowExtra: true }), answers, expectations), [t, t, f, f, t, f, f, f, f]);
  assertEquals(await valuesOf(toolCallMatch({ arguments: "subset" }), answers, expectations), [
    t,
    t,
    f,
    f,
    f,
    f,
    t,
    f,
    f,
  ]);
  assertEquals(await valuesOf(toolCallMatch({ arguments: "ignore" }), answers, expectations), [
    t,
    t,
    f,
    f,
    f,
    t,
    t,
    t,
    f,
  ]);
  assertEquals(await valuesOf(toolCallMatch(), ["text", calls(add)], { expected_tool_calls: [] }), [true, false]);
  assertEquals(
    (await score(toolCallMatch(), "text", expectations)).rationale,
    'The model called no tool, but should have called "add"',
  );
  assert((await score(toolCallMatch(), "text")).error?.message.includes("expected_tool_calls"));
});

Deno.test("toolCallMatch() without order finds a pairing wherever there is one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ k: fc.nat(2), v: fc.nat(2) }), { maxLength: 5 }),
      fc.infiniteStream(fc.boolean()),
      async (all, keep) => {
        // Each expected call names some of the arguments of the call that it stands for, so all can be paired.
        const expected_tool_calls = all.map((args) => ({
          name: "f",
          arguments: Object.fromEntries(Object.entries(args).filter(() => keep.next().value)),
        }));
        const made = calls(...all.map((args) => ["f", args] as const).toReversed());
        const answer = all.length === 0 ? "nothing" : made;
        const [value] = await valuesOf(toolCallMatch({ order: false, arguments: "subset" }), [answer], {
          expected_tool_calls,
        });
        assertEquals(value, true);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("numericTolerance() finds the number and compares it", async () => {
  const expectations = { expected_value: 12.5 };
  const answers = [
    "12.5",
    "It is 12.5.",
    "From 3 to 12.50 km",
    "12.5 of 20",
    "−12.5",
    "1.25e1",
    "x12.5",
    "none",
    "v12.5.1",
  ];
  assertEquals(await valuesOf(numericTolerance(), answers, expectations), [
    true,
    true,
    true,
    false,
    false,
    true,
    false,
    false,
    false,
  ]);
  assertEquals(await valuesOf(numericTolerance({ take: "first" }), ["12.5 of 20"], expectations), [true]);
  assertEquals(await valuesOf(numericTolerance({ absolute: 0.1 }), ["12.6", "12.61"], expectations), [true, false]);
  assertEquals(await valuesOf(numericTolerance({ relative: 0.1 }), ["13.75", "13.76"], expectations), [true, false]);
  assertEquals(await valuesOf(numericTolerance(), ["5-3", "(-3)", "= -3"], { expected_response: "-3" }), [
    false,
    true,
    true,
  ]);
  assert((await score(numericTolerance(), "1", { expected_response: "one" })).error !== undefined);
  assertThrows(() => numericTolerance({ absolute: -1 }), ValidationError, '"absolute": must be a number of at least 0');
});

Deno.test("answerLength() counts characters as people see them, or words in any language", async () => {
  assertEquals(await valuesOf(answerLength(), ["abc", "👩‍👩‍👧‍👦é", "", "a\r\nb"]), [3, 2, 0, 3]);
  assertEquals(await valuesOf(answerLength({ unit: "words" }), ["Hello, big world!", "今日は良い天気です", "—"]), [
    3,
    words("今日は良い天気です").length,
    0,
  ]);
  assertEquals(await score(answerLength({ minimum: 2, maximum: 3 }), "abcd"), { value: 4, passed: false });
  assertThrows(() => answerLength({ maximum: NaN }), ValidationError, '"maximum": must be a number');
});

Deno.test("words() finds words where there are no spaces between, and none in signs", () => {
  assertEquals(words("Hello, WORLD! ①"), ["hello", "world", "1"]);
  assertEquals(words("我喜欢苹果"), ["我", "喜欢", "苹果"]);
  assertEquals(words("👍 — …"), []);
});

Deno.test("rougeL() and tokenF1() stay between 0 and 1, and are 1 for the same text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), async (one, other) => {
      const texts = { expected_response: other };
      const [r, f] = [await valuesOf(rougeL(), [one, other], texts), await valuesOf(tokenF1(), [one, other], texts)];
      assert([r[0], f[0]].every((value) => typeof value === "number" && value >= 0 && value <= 1));
      assertEquals([r[1], f[1]], [1, 1]);
    }),
    { numRuns: 100 },
  );
});

Deno.test("rougeL() takes the most alike of several, by words in their order; tokenF1() in any", async () => {
  assertEquals(await valuesOf(rougeL(), ["我喜欢苹果"], { expected_response: ["你好", "我喜欢梨"] }), [
    2 * (2 / 3) * (2 / 3) / (4 / 3),
  ]);
  const [inOrder] = await valuesOf(rougeL(), ["c b a"], { expected_response: "a b c" });
  assertAlmostEquals(Number(inOrder), 1 / 3, 1e-12);
  assertEquals(await valuesOf(tokenF1(), ["c b a", "👍", "👎"], { expected_response: ["a b c", "👍"] }), [1, 1, 0]);
  assertEquals(await score(rougeL({ minimum: 0.5 }), "a", { expected_response: "b" }), { value: 0, passed: false });
  assertThrows(() => rougeL({ minimum: 2 }), ValidationError, '"minimum": must be a number from 0 to 1');
});

Deno.test("refusal() sees refusals on the wire and by phrases, and passes what is expected", async () => {
  const scorer = refusal({ phrases: [/^I cannot\b/g, "Das darf ich nicht"] });
  const refused = { role: "assistant", content: null, refusal: "No" };
  const filtered = {
    choices: [{ index: 0, message: { role: "assistant", content: "" }, finish_reason: "content_filter" }],
  };
  assertEquals(
    await valuesOf(scorer, [refused, filtered, "I cannot say", "I cannot say", "Nun: Das darf ich nicht", "Sure"]),
    [
      true,
      true,
      true,
      true,
      true,
      false,
    ],
  );
  assertEquals(await score(scorer, "Sure", { expected_refusal: true }), { value: false, passed: false });
  assertEquals(await score(scorer, refused, { expected_refusal: true }), { value: true, passed: true });
});

Deno.test("tokenCount() and cost() count what the model tells, and say nothing where it does not", async () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 40 },
  };
  const answer = { model: "m", choices: [{ index: 0, message: { role: "assistant", content: "a" } }], usage };
  assertEquals(await valuesOf(tokenCount(), [answer, "text"]), [150, null]);
  assertEquals(await valuesOf(tokenCount({ count: "completion" }), [answer]), [50]);
  assertEquals(tokenCount({ count: "prompt" }).name, "prompt_token_count");
  const prices = { m: { input: 1, output: 2, cachedInput: 0.5 } };
  assertEquals(await valuesOf(cost({ prices }), [answer, "text"]), [(60 + 20 + 100) / 1e6, null]);
  assertEquals(await valuesOf(cost({ prices: { "*": { input: 1, output: 0 } } }), [answer]), [100 / 1e6]);
  assert(
    (await score(cost({ prices: { other: { input: 1, output: 1 } } }), answer)).error?.message.includes(
      'has no model "m"',
    ),
  );
  // @ts-expect-error -- no price
  assertThrows(() => cost({ prices: { m: { input: -1 } } }), ValidationError, '"prices.m": must be');
});

Deno.test("latency() and timeToFirstToken() measure a model that streams", async () => {
  class Slow extends ChatModel {
    override async *predictStream(): AsyncGenerator<string> {
      yield "";
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield "a";
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield "b";
    }
  }
  const data = [{ inputs: { question: "Hi" } }];
  const result = await evaluate({ model: Slow, data, scorers: [latency({ maximum: 60_000 }), timeToFirstToken()] });
  const [row] = await all(result.rows());
  assert(row !== undefined);
  assertEquals(row.text, "ab");
  const [whole, first] = [Number(row.scores.latency?.value), Number(row.scores.time_to_first_token?.value)];
  assert(first > 0 && first < whole, `${first} of ${whole} ms`);
  assertEquals(row.latency, whole);
  assertEquals(result.metrics["latency/pass_rate"], 1);
  const unstreamed = await evaluate({ model: Slow, data, scorers: [latency()] });
  assertEquals((await all(unstreamed.rows()))[0]?.timeToFirstToken, undefined);
});
