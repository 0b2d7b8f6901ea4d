import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type JsonSchema, UpstreamError } from "../../../types/mod.ts";
import {
  checkJson,
  checkJsonObject,
  compileParameters,
  compileSchema,
} from "../../../adapters/ollama/structured_output.ts";
import { SchemaError } from "../../../adapters/ollama/_json_schema.ts";

const WEATHER: JsonSchema = {
  type: "object",
  properties: {
    city: { type: "string" },
    days: { type: "array", items: { $ref: "#/$defs/Day" } },
  },
  required: ["city"],
  additionalProperties: false,
  $defs: { Day: { type: "object", properties: { kind: { enum: ["sunny", "wet"] }, temp: { type: "integer" } } } },
};

Deno.test("compileSchema() lets through what follows the schema", () => {
  const check = compileSchema(WEATHER);
  check('{"city":"Paris"}');
  check(' {"city":"Paris","days":[{"kind":"wet","temp":3}]}\n');
});

const FAILING: readonly (readonly [string, readonly string[]])[] = [
  ["The weather is fine", ["it is not JSON"]],
  ["", ["it is not JSON"]],
  ['{"city":"Par', ["it is not JSON"]],
  ['{"days":[]}', ['"" is wrong by "required"']],
  ['{"city":5}', ['"city" is wrong by "type"']],
  ['{"city":"x","days":[{"kind":"confidential","temp":1.5}]}', ['"days.0']],
  ['{"city":"x","confidential":1}', ['"" is wrong by "additionalProperties"']],
];

for (const [answer, expected] of FAILING) {
  Deno.test(`compileSchema() names what is wrong with ${JSON.stringify(answer)}, not what stands there`, () => {
    const error = assertThrows(() => compileSchema(WEATHER)(answer), UpstreamError);
    assertEquals([error.status, error.code, error.retryable], [502, "invalid_structured_output", true]);
    for (const text of expected) assertStringIncludes(error.message, text);
    assertEquals(error.message.includes("confidential"), false);
  });
}

Deno.test("compileSchema() does not repeat names that the model made up", () => {
  const check = compileSchema({ properties: { map: { additionalProperties: { type: "string" } } } });
  assertThrows(() => check('{"map":{"confidential":5}}'), UpstreamError, '"map.*" is wrong by "type"');
});

Deno.test("compileSchema() does not write into the schema", () => {
  const frozen = Object.freeze({ type: "object", $id: "https://example.com/x", properties: Object.freeze({}) });
  compileSchema(frozen)("{}");
  assertEquals(Reflect.ownKeys(frozen), ["type", "$id", "properties"]);
});

/** Schemas that cannot be worked with → where, and why. */
const WRONG: readonly (readonly [name: string, schema: JsonSchema, path: string, message: string])[] = [
  [
    "a type that there is not",
    { properties: { a: { type: ["string", "text"] } } },
    "properties.a.type",
    "must be a type",
  ],
  ["alternatives that are no list", { properties: { a: { anyOf: {} } } }, "properties.a.anyOf", "must be an array"],
  ["a pattern that is no text", { items: { pattern: 5 } }, "items.pattern", "must be a string"],
  ["a pattern that is none", { anyOf: [{ pattern: "(" }] }, "anyOf.0.pattern", "must be a regular expression of ECMA"],
  ["a pattern of names that is none", { patternProperties: { "[": {} } }, "patternProperties.[", "must be a regular"],
  ["a pattern with a back reference", { pattern: "(a+)\\1" }, "pattern", "that can be matched in bounded time"],
  ["a pattern that is too large", { pattern: "(a{999}){999}" }, "pattern", "with at most 10,000 states"],
  [
    "a reference that leads nowhere",
    { properties: { a: { $ref: "#/$defs/None" } } },
    "properties.a.$ref",
    "leads nowhere",
  ],
  ["a reference that is no URI", { $ref: "http://[" }, "", "must have no reference or id that is not a URI"],
  ["a reference to elsewhere", { not: { $ref: "https://example.com/x.json" } }, "not.$ref", "leads out of the schema"],
  ["a dynamic reference", { items: { $dynamicRef: "#a" } }, "items.$dynamicRef", "Use $ref instead"],
  ["a reference to itself", { $ref: "#" }, "$ref", "must not lead back to itself"],
  [
    "a loop of references",
    {
      properties: { a: { $ref: "#/$defs/A" } },
      $defs: { A: { allOf: [true, { $ref: "#/$defs/B" }] }, B: { if: {}, else: { $ref: "#/$defs/A" } } },
    },
    "$defs.A.allOf.1.$ref",
    "must not lead back to itself",
  ],
  [
    "a fault where no schema should stand",
    { $ref: "#/components/A", components: { A: { pattern: "(" } } },
    "$ref.pattern",
    "ECMA",
  ],
];

for (const [name, schema, path, message] of WRONG) {
  Deno.test(`compileSchema() refuses a schema with ${name}`, () => {
    const error = assertThrows(() => compileSchema(schema), SchemaError, message);
    assertEquals(error.path.join("."), path);
    assertEquals(
      assertThrows(() => compileParameters({ name: "f", parameters: schema }), SchemaError).path,
      error.path,
    );
  });
}

Deno.test("compileSchema() refuses a schema that is nested without end", () => {
  let schema: JsonSchema = {};
  for (let i = 0; i < 5000; i++) schema = { not: schema };
  assertThrows(() => compileSchema(schema), SchemaError);
});

Deno.test("compileSchema() takes words in places of data for data", () => {
  const check = compileSchema({ enum: [{ pattern: "(" }, { type: "text" }], default: { type: "text" } });
  check('{"pattern":"("}');
  assertThrows(() => check('{"pattern":")"}'), UpstreamError);
});

Deno.test("compileSchema() follows recursion", () => {
  const check = compileSchema({ type: "object", properties: { next: { $ref: "#" } }, additionalProperties: false });
  check('{"next":{"next":{}}}');
  assertThrows(() => check('{"next":{"next":5}}'), UpstreamError, '"next.next" is wrong by "type"');
});

Deno.test("checkJsonObject() and checkJson() differ in what they let through", () => {
  checkJsonObject('{"a":1}');
  checkJson("[1]");
  checkJson("1");
  for (const answer of ["[1]", "1", "null", '"x"', "no"]) {
    assertThrows(() => checkJsonObject(answer), UpstreamError);
  }
  assertThrows(() => checkJson("no"), UpstreamError);
});

/** Schemas with `nullable`, and answers that must follow them. */
const NULLABLE: readonly (readonly [schema: JsonSchema, right: string, wrong: string])[] = [
  [{ type: "string", nullable: true }, '"a"', "5"],
  [{ enum: ["a"], nullable: true }, '"a"', '"b"'],
  [{ type: "string", enum: ["a"], nullable: true }, '"a"', '"b"'],
  [{ const: 1, nullable: true }, "1", "2"],
  [{ anyOf: [{ type: "string" }, { type: "integer" }], nullable: true }, '"a"', "true"],
  [{ type: "string", anyOf: [{ minLength: 2 }], nullable: true }, '"ab"', '"a"'],
  [{ oneOf: [{ type: "string" }], nullable: true }, '"a"', "5"],
  [{ allOf: [{ $ref: "#/$defs/A" }], nullable: true }, '"a"', "5"],
  [{ $ref: "#/$defs/A", nullable: true }, '"a"', "5"],
  [{ type: ["string", "null"], nullable: false }, '"a"', "5"],
];

for (const [schema, right, wrong] of NULLABLE) {
  Deno.test(`compileSchema() reads nullable as OpenAPI does: ${JSON.stringify(schema)}`, () => {
    const check = compileSchema({ properties: { p: schema }, $defs: { A: { type: "string" } } });
    check(`{"p":${right}}`);
    check('{"p":null}');
    assertThrows(() => check(`{"p":${wrong}}`), UpstreamError);
  });
}

Deno.test("compileSchema() does not let null through where nullable is false", () => {
  assertThrows(() => compileSchema({ type: "string", nullable: false })("null"), UpstreamError, 'wrong by "type"');
});

Deno.test("compileSchema() takes null for absent in keywords, and a flag in place of required for nothing", () => {
  const check = compileSchema({ type: "object", required: true, properties: { a: { pattern: null, enum: null } } });
  check('{"a":"x"}');
});

Deno.test("compileSchema() checks patterns of texts and of names as RegExp would", () => {
  const check = compileSchema({
    properties: { zip: { type: "string", pattern: "^\\d{5}$", format: "uri" }, x1: { minimum: 3 } },
    patternProperties: { "^x": { type: "integer" }, "1$": { maximum: 5 } },
    additionalProperties: false,
  });
  check('{"x1":4,"x2":9,"y1":5}');
  assertThrows(() => check('{"zip":"1234"}'), UpstreamError, '"zip" is wrong by "pattern"');
  assertThrows(() => check('{"zip":"12345"}'), UpstreamError, '"zip" is wrong by "format"');
  for (const wrong of ['{"x1":2}', '{"x1":6}', '{"x1":4.5}', '{"x2":0.5}', '{"y1":6}']) {
    assertThrows(() => check(wrong), UpstreamError, "is wrong by");
  }
  assertThrows(() => check('{"y":1}'), UpstreamError, '"" is wrong by "additionalProperties"');
  check('{"x2":9}');
  compileSchema({ patternProperties: { "^_": false } })('{"__proto":1}'.replace("__proto", "a"));
  assertThrows(() => compileSchema({ patternProperties: { "^_": false } })('{"__proto__":1}'), UpstreamError);
});

for (const pattern of ["^(a+)+$", "(a|a)*b", "(.*a){20}b"]) {
  Deno.test(`compileSchema() checks long texts and names against ${pattern} in bounded time`, () => {
    const long = "a".repeat(30_000) + "!";
    const text = compileSchema({ properties: { text: { pattern } } });
    assertThrows(() => text(JSON.stringify({ text: long })), UpstreamError, '"text" is wrong by "pattern"');
    text(JSON.stringify({ text: "a".repeat(30) + (pattern.endsWith("b") ? "b" : "") }));
    const name = compileSchema({ patternProperties: { [pattern]: false } });
    name(JSON.stringify({ [long]: 1 }));
    assertThrows(() => name('{"aaaaaaaaaaaaaaaaaaaaaab":1,"a":1}'), UpstreamError);
    const nameText = compileSchema({ propertyNames: { pattern } });
    assertThrows(() => nameText(JSON.stringify({ [long]: 1 })), UpstreamError, 'is wrong by "pattern"');
  });
}

Deno.test("compileSchema() gives up on a text that its pattern takes too long for", () => {
  const check = compileSchema({ pattern: "(?:.?){3000}$" });
  assertThrows(() => check(JSON.stringify("a".repeat(100_000))), UpstreamError, "too long to be checked");
});

Deno.test("compileSchema() checks URLs in bounded time", () => {
  const check = compileSchema({ type: "string", format: "url" });
  check('"https://example.com/x"');
  for (const wrong of ["nowhere", `http://${"a".repeat(50_000)}`.replace("http:", "http")]) {
    assertThrows(() => check(JSON.stringify(wrong)), UpstreamError);
  }
});

/** Schemas that lead back to themselves in several branches, with how to wrap an answer in one more level. */
const BRANCHING: readonly (readonly [name: string, schema: JsonSchema, wrap: (inner: string) => string])[] = [
  ["anyOf", {
    anyOf: [
      { type: "object", properties: { a: { $ref: "#" } }, additionalProperties: false },
      { type: "object", properties: { a: { $ref: "#" } }, maxProperties: 3 },
    ],
  }, (inner) => `{"a":${inner}}`],
  ["oneOf", {
    oneOf: ["negative", "absolute", "root"].map((kind) => ({
      type: "object",
      properties: { argument: { $ref: "#" }, kind: { const: kind } },
      required: ["kind"],
      additionalProperties: false,
    })),
  }, (inner) => `{"argument":${inner},"kind":"negative"}`],
  ["allOf and not", {
    allOf: [{ items: { $ref: "#" } }, { not: { type: "array", minItems: 1, items: { not: { $ref: "#" } } } }],
    type: ["array", "object"],
  }, (inner) => `[${inner}]`],
  ["unevaluatedProperties", {
    type: "object",
    anyOf: [{ properties: { a: { $ref: "#" } } }, { properties: { a: { $ref: "#" }, b: true } }],
    unevaluatedProperties: false,
  }, (inner) => `{"a":${inner}}`],
];

for (const [name, schema, wrap] of BRANCHING) {
  Deno.test(`compileSchema() ends on a deep answer where a schema leads to itself in several branches of ${name}`, () => {
    const check = compileSchema(schema);
    const nest = (innermost: string) => Array.from({ length: 100 }).reduce<string>((inner) => wrap(inner), innermost);
    check(nest(name === "oneOf" ? '{"kind":"root"}' : "{}"));
    assertThrows(() => check(nest("5")), UpstreamError, "is wrong by");
  });
}

Deno.test("compileSchema() gives up on an answer with too many ways to check it", () => {
  const anyOf = Array.from({ length: 1000 }, (_, i) => ({ properties: { kind: { const: i } }, required: ["kind"] }));
  const check = compileSchema({ items: { anyOf } });
  check(JSON.stringify(Array.from({ length: 100 }, (_, i) => ({ kind: i }))));
  const hostile = JSON.stringify(Array.from({ length: 10_000 }, () => ({ kind: 999 })));
  assertThrows(() => check(hostile), UpstreamError, "it is too large to be checked against the schema");
});

Deno.test("compileSchema() lets a long answer through", () => {
  const check = compileSchema({
    type: "array",
    uniqueItems: true,
    items: {
      type: "object",
      properties: { id: { type: "integer" }, tags: { type: "array", items: { type: "string" } } },
      patternProperties: { "^x-": { type: "string" } },
      required: ["id"],
      additionalProperties: false,
    },
  });
  check(JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, tags: ["a", "b"], "x-y": "z" }))));
});

Deno.test("compileSchema() finds equal items whatever the order of their names", () => {
  const check = compileSchema({ uniqueItems: true });
  check('[1,"1",true,null,[1],["1"],{"a":1},{"a":"1"},{},[]]');
  for (const wrong of ['[{"a":1,"b":[{}]},2,{"b":[{}],"a":1}]', "[0,-0]", '["a","\\u0061"]', "[[],[]]"]) {
    assertThrows(() => check(wrong), UpstreamError, '"" is wrong by "uniqueItems"');
  }
  check("[1e999,null]");
});

Deno.test("compileSchema() takes multiples by their decimal digits", () => {
  const check = compileSchema({ multipleOf: 0.1 });
  for (const right of ["0.3", "-1.1", "0", "1e21", "5e-1", "7"]) check(right);
  for (const wrong of ["0.35", "1e-9", "1e999"]) {
    assertThrows(() => check(wrong), UpstreamError, 'wrong by "multipleOf"');
  }
});

/** Answers under older drafts, right and wrong. */
const OLDER: readonly (readonly [schema: JsonSchema, right: string, wrong: string])[] = [
  [{ minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: true }, "2", "3"],
  [{ items: [{ type: "string" }], additionalItems: { type: "integer" } }, '["a",1]', '["a","b"]'],
  [{ dependencies: { a: ["b"], c: { required: ["d"] } } }, '{"a":1,"b":1}', '{"c":1}'],
  [
    { properties: { p: { $ref: "#/definitions/A", minimum: 5 } }, definitions: { A: { type: "integer" } } },
    '{"p":1}',
    '{"p":"a"}',
  ],
];

for (const [schema, right, wrong] of OLDER) {
  Deno.test(`compileSchema() reads draft 4: ${JSON.stringify(schema)}`, () => {
    const check = compileSchema({ $schema: "http://json-schema.org/draft-04/schema#", ...schema });
    check(right);
    assertThrows(() => check(wrong), UpstreamError, "is wrong by");
  });
}

const manyPatterns = (count: number, pattern: (index: number) => string): JsonSchema => ({
  properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { pattern: pattern(i) }])),
});

Deno.test("compileSchema() counts a pattern's states as it says", () => {
  compileSchema({ pattern: "^a{9998}$" });
  assertThrows(() => compileSchema({ pattern: "^a{9999}$" }), SchemaError, "with at most 10,000 states");
  compileSchema({ pattern: "a{0,5000}" });
  assertThrows(() => compileSchema({ pattern: "a{0,5001}" }), SchemaError, "with at most 10,000 states");
});

Deno.test("compileSchema() refuses a pattern of very many branches", () => {
  for (const pattern of [`^(?:(?:${"|".repeat(20_000)})x?){1,500}b$`, `(?:(?:${"|".repeat(90)})x?){1,150}b`]) {
    assertThrows(() => compileSchema({ pattern }), SchemaError, "with at most 10,000 states");
  }
});

Deno.test("compileSchema() limits all patterns of a schema together, those that are alike counted once", () => {
  compileSchema(manyPatterns(3000, () => "(?:a{65}){65}"));
  compileSchema(manyPatterns(11, (i) => `(?:a{65}){65}b{${i}}`));
  const error = assertThrows(
    () => compileSchema(manyPatterns(3000, (i) => `(?:a{65}){65}b{${i}}`)),
    SchemaError,
    "all patterns of the schema together may have 50,000 states",
  );
  assertEquals(error.path.join(".").replace(/\d+/, "N"), "properties.pN.pattern");
  // Alike or not, a pattern that is wrong by itself is told so.
  assertThrows(
    () => compileSchema({ ...manyPatterns(11, (i) => `(?:a{65}){65}b{${i}}`), not: { pattern: "(a)\\1" } }),
    SchemaError,
    "without back references",
  );
});

Deno.test("compileSchema() says so of an answer that is nested too deep", () => {
  const check = compileSchema({ items: { $ref: "#" } });
  assertThrows(() => check("[".repeat(20_000) + "]".repeat(20_000)), UpstreamError, "nested too deep");
});
