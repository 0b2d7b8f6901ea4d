import { assert, assertEquals } from "@std/assert";
import { Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { readPromptFacts } from "../../../adapters/demo/prompt_facts.ts";
import { type FakeOptions, fakeValue } from "../../../adapters/demo/schema_faker.ts";
import type { JsonSchema } from "../../../types/mod.ts";

function fake(schema: JsonSchema, prompt = "", options: Omit<FakeOptions, "facts"> = {}): unknown {
  return fakeValue(schema, { facts: readPromptFacts(prompt), ...options });
}

function assertValid(schema: JsonSchema, value: unknown): void {
  const { valid, errors } = new Validator(schema, "2020-12").validate(value);
  assert(valid, `${JSON.stringify(value)} for ${JSON.stringify(schema)}: ${JSON.stringify(errors)}`);
}

function object(properties: JsonSchema, required: readonly string[] = Object.keys(properties)): JsonSchema {
  return { type: "object", properties, required };
}

const text = { type: "string" };
const integer = { type: "integer" };
const number = { type: "number" };

const FILLED: readonly (readonly [name: string, schema: JsonSchema, prompt: string, expected: unknown])[] = [
  ["takes quoted texts and numbers in order", object({ a: text, b: integer, c: text, d: number }), '"x" 1.5 2 "y"', {
    a: "x",
    b: 2,
    c: "y",
    d: 1.5,
  }],
  ["serves required properties before optional ones", object({ a: text, b: text }, ["b"]), '"only"', { b: "only" }],
  [
    "fills optional properties with hints only",
    object({ a: text, b: { ...integer, default: 5 }, c: { const: 1 } }, []),
    "",
    {
      b: 5,
      c: 1,
    },
  ],
  ["prefers the value behind a property's name", object({ a: text, limit: integer }), '7 "x" limit: 9', {
    a: "x",
    limit: 9,
  }],
  [
    "takes the enum's member that the prompt mentions",
    object({ unit: { enum: ["fahrenheit", "celsius"] } }),
    "in Celsius",
    {
      unit: "celsius",
    },
  ],
  ["takes the enum's first member otherwise", { enum: [3, "x"] }, "", 3],
  ["prefers the default to the enum's first member", { enum: ["a", "b"], default: "b" }, "", "b"],
  ["reads booleans", object({ a: { type: "boolean" }, b: { type: "boolean" } }), "yes and false", {
    a: true,
    b: false,
  }],
  ["passes over facts that do not fit", object({ a: { ...integer, minimum: 10 }, b: integer }), "5 12", {
    a: 12,
    b: 5,
  }],
  ["fills a list with all facts", object({ numbers: { type: "array", items: number } }), "1, 2.5 and 3", {
    numbers: [1, 2.5, 3],
  }],
  [
    "fills a list with all members that the prompt mentions",
    object({ tags: { type: "array", items: { enum: ["red", "green", "blue"] } } }),
    "blue or Red",
    { tags: ["blue", "red"] },
  ],
  [
    "takes the branch whose constant the prompt mentions",
    { oneOf: [object({ kind: { const: "circle" } }), { const: "none" }, { const: "all" }] },
    "show all",
    "all",
  ],
  ["serves single values before lists", object({ all: { type: "array", items: text }, one: text }), '"a" "b" "c"', {
    all: ["b", "c"],
    one: "a",
  }],
  [
    "finds bare dates and addresses by format",
    object({ to: { ...text, format: "email" }, on: { ...text, format: "date" } }),
    'on 2026-03-04 "hi" to a@b.org',
    {
      to: "a@b.org",
      on: "2026-03-04",
    },
  ],
  ["takes the prompt for free text", object({ query: text }), "weather in Paris", { query: "weather in Paris" }],
  ["does not prefer null", { type: ["null", "integer"] }, "", 1],
  ["prefers a branch that the prompt fits", { anyOf: [integer, text] }, '"x"', "x"],
  ["makes the first branch that allows something", { anyOf: [false, { type: "null" }, { const: 4 }] }, "", 4],
  [
    "follows references",
    {
      $ref: "#/$defs/a~1b",
      $defs: { "a/b": { allOf: [{ minimum: 5 }, { $ref: "#odd" }] }, c: { $anchor: "odd", type: "integer" } },
    },
    "3 8",
    8,
  ],
  [
    "keeps a property named __proto__",
    object(JSON.parse('{"__proto__": {"const": 1}}')),
    "",
    JSON.parse('{"__proto__": 1}'),
  ],
  ["answers a schema without keywords", {}, '"x"', "x"],
  ["has nothing for a schema that allows nothing", object({ a: { allOf: [text, integer] } }), "", undefined],
];

for (const [name, schema, prompt, expected] of FILLED) {
  Deno.test(`fakeValue() ${name}`, () => {
    assertEquals(JSON.stringify(fake(schema, prompt)), JSON.stringify(expected));
    if (expected !== undefined) assertValid(schema, fake(schema, prompt));
  });
}

const CONSTRAINED: readonly JsonSchema[] = [
  { type: "string", minLength: 30 },
  { type: "string", maxLength: 2 },
  { type: "string", pattern: "^[A-Z]{2}\\d{3,}$", minLength: 12 },
  ...["date", "date-time", "time", "email", "uri", "uuid", "ipv4", "ipv6", "hostname", "duration", "json-pointer"]
    .map((format) => ({ type: "string", format })),
  { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
  { type: "integer", multipleOf: 7, minimum: 15 },
  { type: "integer", maximum: -3 },
  { type: "integer", exclusiveMinimum: 4, exclusiveMaximum: 6 },
  { type: "number", minimum: 0.5, maximum: 0.5 },
  { type: "array", items: { type: "boolean" }, minItems: 3, maxItems: 3 },
  { type: "array", items: { type: "string" }, minItems: 4, uniqueItems: true },
  { type: "array", items: { enum: ["a", "b", "c"] }, minItems: 3, uniqueItems: true },
  { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false, minItems: 2 },
  { type: "array", items: { type: "integer" }, contains: { const: 42 } },
  { type: "object", minProperties: 3, additionalProperties: { type: "integer" } },
  { type: "object", required: ["x"], additionalProperties: { type: "array", items: { type: "null" } } },
  { allOf: [object({ a: text }), object({ b: integer })], additionalProperties: true },
  { oneOf: [object({ kind: { const: "circle" }, radius: number }), object({ kind: { const: "square" } })] },
  { ...object({ a: text }), anyOf: [{ required: ["b"] }, { required: ["c"] }] },
];

for (const schema of CONSTRAINED) {
  Deno.test(`fakeValue() obeys ${JSON.stringify(schema)}`, () => {
    assertValid(schema, fake(schema));
    assertValid(schema, fake(schema, 'take "this" and 3, 3, 0.25 or true', { optional: "all", variant: 2 }));
  });
}

Deno.test("fakeValue() ends where a schema is within itself", () => {
  const node = object({ value: text, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } });
  const list = { $ref: "#/$defs/node", $defs: { node } };
  assertEquals(fake(list, '"x"', { optional: "all" }), { value: "x", next: null });
  const tree = object({ name: text, children: { type: "array", items: { $ref: "#" } } });
  assertValid(tree, fake(tree, "", { optional: "all" }));
  assertEquals(fake(object({ self: { $ref: "#" } })), undefined);
  assertEquals(fake({ $ref: "#" }), "demo");
});

Deno.test("fakeValue() takes null where nothing else is left and nullable allows it", () => {
  const node = object({ value: text, next: { $ref: "#/$defs/node", nullable: true } });
  const list = { $ref: "#/$defs/node", $defs: { node } };
  assertEquals(fake(list, '"x"', { optional: "all" }), { value: "x", next: null });
  assertEquals(fake(object({ a: { type: "integer", enum: ["x"], nullable: true } })), { a: null });
  assertEquals(fake(object({ a: { type: "integer", nullable: true } })), { a: 1 });
  assertEquals(fake(object({ a: { type: "integer", enum: ["x"], nullable: false } })), undefined);
});

Deno.test("fakeValue() makes texts of patterns with lookaround, and ends on hostile ones", () => {
  assertEquals(fake({ type: "string", pattern: "^(?=a)[a-z]{3}(?<!b)$" }), "aaa");
  const hostile = { type: "string", pattern: "^(a+)+$" };
  assertEquals(fake(hostile, `"${"a".repeat(50_000)}!"`), "a");
  const slow = { type: "string", pattern: "^(?:.?){900}b$", minLength: 64 };
  const many = fake({ type: "array", items: slow, minItems: 1000 });
  assert(Array.isArray(many) && many.length === 1000);
});

Deno.test("fakeValue() stays small for schemas that multiply", () => {
  const definitions: [string, JsonSchema][] = Array.from({ length: 40 }, (_, level) => {
    const next = { $ref: `#/$defs/d${level + 1}` };
    return [
      `d${level}`,
      level % 3 === 0
        ? { allOf: [next, next] }
        : level % 3 === 1
        ? { anyOf: [next, next] }
        : object({ a: next, b: next }),
    ];
  });
  const laughs = { $ref: "#/$defs/d0", $defs: Object.fromEntries([...definitions, ["d40", text]]) };
  assert((JSON.stringify(fake(laughs)) ?? "").length < 1_000_000);
  assertEquals(JSON.stringify(fake({ type: "array", items: { const: 1 }, minItems: 1e9 }))?.length, 2_001);
  assertEquals(String(fake({ type: "string", minLength: 1e9 })).length, 10_000);
});

Deno.test("fakeValue() uses the arguments of a written call, by name and in order", () => {
  const schema = object({ a: integer, b: text, c: { type: "array", items: integer }, d: { type: "boolean" } });
  const given = [{ value: "7" }, { name: "d", value: "yes" }, { value: 8 }, { value: 9 }];
  assertEquals(fake(schema, "", { given }), { a: 7, b: "8", c: [9], d: true });
  assertEquals(fake(object({ a: integer }), "5", { given: [{ value: "seven" }] }), { a: 5 });
});

const simpleSchemas = fc.letrec<{ schema: JsonSchema; object: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constant("string"), minLength: fc.nat(5), maxLength: fc.integer({ min: 5, max: 9 }) }, {
      requiredKeys: ["type"],
    }),
    fc.record({
      type: fc.constantFrom("integer", "number"),
      minimum: fc.integer({ min: -9, max: 0 }),
      maximum: fc.nat(9),
    }, {
      requiredKeys: ["type"],
    }),
    fc.record({ type: fc.constant("number"), exclusiveMinimum: fc.nat(3), multipleOf: fc.constantFrom(1, 3, 0.5) }),
    fc.record({ type: fc.constant("string"), pattern: fc.constantFrom("^[a-f]{2,6}$", "^\\d+(,\\d+)*$", "x|y") }),
    fc.record({ type: fc.constant("string"), format: fc.constantFrom("date", "email", "uri", "uuid", "date-time") }),
    fc.record({ enum: fc.uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1 }) }),
    fc.record({ const: fc.oneof(fc.string(), fc.integer(), fc.boolean()) }),
    fc.record({ type: fc.constantFrom("boolean", "null", ["string", "null"], ["integer", "boolean"]) }),
    fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      type: fc.constant("array"),
      items: tie("schema"),
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 4 }),
    }),
    tie("object"),
  ),
  object: fc.dictionary(fc.string({ maxLength: 8 }), tie("schema"), { maxKeys: 4 }).chain((properties) =>
    fc.record({
      type: fc.constant("object"),
      properties: fc.constant(properties),
      required: fc.subarray(Object.keys(properties)),
      additionalProperties: fc.boolean(),
    })
  ),
}));

const prompts = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "grapheme" }).map((text) => `"${text}"`),
    fc.double({ noNaN: true }).map(String),
    fc.integer().map(String),
    fc.constantFrom("true", "no", "2026-02-03", "a@b.org", "https://x.org/"),
  ),
  { maxLength: 8 },
).map((words) => words.join(" "));

Deno.test("fakeValue() obeys any simple schema, with any prompt, and is deterministic", () => {
  fc.assert(
    fc.property(
      simpleSchemas.object,
      prompts,
      fc.constantFrom("all" as const, "hinted" as const),
      (schema, prompt, optional) => {
        const value = fake(schema, prompt, { optional });
        assertValid(schema, value);
        assertEquals(JSON.stringify(fake(schema, prompt, { optional })), JSON.stringify(value));
      },
    ),
    { numRuns: 300 },
  );
});
