import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type JsonSchema, UpstreamError, ValidationError } from "../../../types/mod.ts";
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

const WRONG: readonly (readonly [string, JsonSchema])[] = [
  ["a type that there is not", { properties: { a: { type: ["string", "text"] } } }],
  ["a pattern that is none", { anyOf: [{ pattern: "(" }] }],
  ["a pattern of names that is none", { patternProperties: { "[": {} } }],
  ["a reference that leads nowhere", { properties: { a: { $ref: "#/$defs/None" } } }],
  ["a reference that is no URI", { $ref: "http://[" }],
];

for (const [name, schema] of WRONG) {
  Deno.test(`compileSchema() refuses a schema with ${name}`, () => {
    assertThrows(() => compileSchema(schema), SchemaError);
  });
}

Deno.test("compileSchema() refuses a schema that is nested without end", () => {
  let schema: JsonSchema = {};
  for (let i = 0; i < 5000; i++) schema = { not: schema };
  assertThrows(() => compileSchema(schema), SchemaError);
});

Deno.test("compileSchema() blames the request for a reference that leads out of the schema", () => {
  const error = assertThrows(() => compileSchema({ $ref: "https://example.com/x.json" })("{}"), ValidationError);
  assertEquals([error.status, error.param], [400, "response_format"]);
});

Deno.test("compileParameters() blames the tool for a reference that leads out of the schema", () => {
  const check = compileParameters({ name: "f", parameters: { $ref: "https://example.com/x.json" } }, "functions.0");
  assertEquals(assertThrows(() => check({}), ValidationError).param, "functions.0");
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
