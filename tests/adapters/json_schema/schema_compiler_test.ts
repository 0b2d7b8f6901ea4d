import { assert, assertEquals } from "@std/assert";
import { Validator } from "@cfworker/json-schema";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { SchemaValidator } from "../../../adapters/ollama/schema_validator.ts";
import type { JsonSchema } from "../../../types/mod.ts";

type Value = null | boolean | number | string | Value[] | { [name: string]: Value };

const NAMES = ["a", "b", "ab", "1"];
const name = fc.constantFrom(...NAMES);

/** Values that schemas and answers are made of: few, so that they meet. */
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<Value>(null, true, false, 0, 1, -1, 2, 3, 0.3, 1.5, "", "a", "ab", "😀"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

const count = fc.integer({ min: 0, max: 3 });
const number = fc.constantFrom(-1, 0, 0.3, 1, 2);
const type = fc.constantFrom("null", "boolean", "number", "integer", "string", "array", "object");

const { schema } = fc.letrec<{ schema: JsonSchema | boolean }>((tie) => {
  const schema = tie("schema");
  const schemas = fc.array(schema, { minLength: 1, maxLength: 3 });
  const byName = fc.dictionary(name, schema, { maxKeys: 3, noNullPrototype: true });
  const names = fc.uniqueArray(name, { maxLength: 2 });
  const record = (keywords: { [keyword: string]: fc.Arbitrary<unknown> }) =>
    fc.record(keywords, { requiredKeys: [], noNullPrototype: true });
  return {
    schema: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      fc.boolean(),
      record({ type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })) }),
      record({ const: value }),
      record({ enum: fc.uniqueArray(value, { minLength: 1, maxLength: 3, comparator: (a, b) => isSame(a, b) }) }),
      record({ minimum: number, maximum: number, exclusiveMinimum: number, exclusiveMaximum: number }),
      record({ multipleOf: fc.constantFrom(0.1, 0.5, 1, 2), minLength: count, maxLength: count }),
      fc.constantFrom({ $ref: "#" }, { $ref: "#/$defs/x" }),
      record({
        properties: byName,
        additionalProperties: schema,
        patternProperties: fc.dictionary(fc.constantFrom("^a", "b$", "\\d"), schema, { noNullPrototype: true }),
        required: names,
        minProperties: count,
        maxProperties: count,
      }),
      record({ properties: byName, unevaluatedProperties: schema, anyOf: schemas, allOf: schemas }),
      record({ propertyNames: schema, dependentSchemas: byName, if: schema, then: schema, else: schema }),
      record({ dependentRequired: fc.dictionary(name, names, { maxKeys: 2, noNullPrototype: true }) }),
      record({ prefixItems: schemas, items: schema, uniqueItems: fc.boolean(), minItems: count, maxItems: count }),
      record({ contains: schema, minContains: count, maxContains: count }),
      record({ prefixItems: schemas, unevaluatedItems: schema, anyOf: schemas, oneOf: schemas }),
      record({ anyOf: schemas, oneOf: schemas, not: schema }),
      record({ allOf: schemas, pattern: fc.constantFrom("^a", "b$", "^.$"), properties: byName }),
    ),
  };
});

function isSame(one: Value, other: Value): boolean {
  try {
    assertEquals(one, other);
    return true;
  } catch {
    return false;
  }
}

/** What the schema says of the value; `undefined` if it cannot be worked with. */
function judge(schema: JsonSchema, value: Value): boolean | undefined {
  try {
    return new SchemaValidator(schema).findFault(value) === undefined;
  } catch (error) {
    assert(error instanceof Error && error.name === "SchemaError", String(error));
    return undefined;
  }
}

/** What another validator says; `undefined` where its own code fails, as on `not: true` beside `oneOf`. */
function ask(ajv: Ajv2020, { root, one }: { readonly root: JsonSchema; readonly one: Value }): boolean | undefined {
  try {
    return ajv.validate(root, one);
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

Deno.test("SchemaValidator.findFault() agrees with other validators on random schemas and values", () => {
  let compared = 0;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false, multipleOfPrecision: 9 });
  const root = fc.tuple(schema, schema).filter(([root]) => typeof root === "object").map(([root, inner]) => ({
    ...(typeof root === "object" ? root : {}),
    $defs: { x: inner },
  }));
  fc.assert(
    fc.property(root, fc.array(value, { minLength: 6, maxLength: 6 }), (root, values) => {
      for (const one of values) {
        const ours = judge(root, one);
        if (ours === undefined) return;
        compared++;
        const theirs = ask(ajv, { root, one });
        if (ours === theirs) continue;
        // Of unevaluated items and properties, each of the others has its own mistakes.
        const isDisputed = theirs === undefined || JSON.stringify(root).includes('"unevaluated');
        const others = isDisputed && new Validator(structuredClone(root), "2020-12").validate(one).valid;
        assertEquals([isDisputed, others], [true, ours], JSON.stringify({ root, one }));
      }
      ajv.removeSchema();
    }),
    { numRuns: 300 },
  );
  assert(compared > 500, `compared ${compared}`);
});
