/** Values that are like what a schema of the document takes, most of them a little wrong. */
import fc from "fast-check";
import { at, type Json, object } from "./_document.ts";

/** Any value, mostly small. */
const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, "", "x", 0, 1, -1, 1.5, 3, 129, 1e300, [], {}, [0], [null], [[]], { type: "x" }),
  fc.jsonValue({ maxDepth: 1 }),
);

/** How deep values are made to fit; below that, only what is small does. */
const MAX_DEPTH = 7;

/** Values that are like what a named schema takes. */
export function valueLike(name: string): fc.Arbitrary<unknown> {
  const found = at("components", "schemas", name);
  return like(object(found?.value), 0);
}

function like(schema: Json, depth: number): fc.Arbitrary<unknown> {
  const fitting = fit(schema, depth);
  // The deeper, the rarer: else hardly any value would be right as a whole.
  return fc.oneof({ weight: depth === 0 ? 20 : 60, arbitrary: fitting }, { weight: 1, arbitrary: junk });
}

function fit(schema: Json, depth: number): fc.Arbitrary<unknown> {
  const { $ref, anyOf, oneOf, const: constant, enum: words, type } = schema;
  if (depth > MAX_DEPTH) return fc.constantFrom<unknown>(null, {}, "x");
  if (typeof $ref === "string") return like(object(at(...$ref.slice(2).split("/"))?.value), depth + 1);
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => like(object(choice), depth + 1)));
  if (constant !== undefined) return fc.constant(constant);
  if (Array.isArray(words)) return fc.constantFrom<unknown>(...words);
  switch (type) {
    case "string":
      return fc.constantFrom("", "x", "auto", "some text");
    case "integer":
    case "number":
      return numbers(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array("items" in schema ? like(object(schema.items), depth + 1) : junk, { maxLength: 3 });
    case "object":
      return objects(schema, depth);
  }
  return junk;
}

function numbers({ minimum, maximum }: Json): fc.Arbitrary<unknown> {
  const least = typeof minimum === "number" ? minimum : -10;
  const most = typeof maximum === "number" ? maximum : 10;
  return fc.constantFrom(least, most, Math.min(least + 1, most), least - 1, most + 1, least + 0.5);
}

function objects({ properties = {}, required = [], additionalProperties }: Json, depth: number): fc.Arbitrary<unknown> {
  const needed = Array.isArray(required) ? required : [];
  const members = Object.entries(object(properties)).map(
    ([name, schema]): fc.Arbitrary<[string, unknown] | undefined> => {
      const value = like(object(schema), depth + 1).map((value): [string, unknown] => [name, value]);
      const none = fc.constant(undefined);
      return fc.oneof(
        { weight: needed.includes(name) ? 40 : 1, arbitrary: value },
        { weight: needed.includes(name) ? 1 : 12, arbitrary: none },
      );
    },
  );
  const others = typeof additionalProperties === "object" && additionalProperties !== null
    ? fc.option(like(object(additionalProperties), depth + 1).map((value): [string, unknown] => ["y", value]), {
      nil: undefined,
    })
    : fc.option(junk.map((value): [string, unknown] => ["unknown", value]), { nil: undefined, freq: 5 });
  return fc.tuple(...members, others).map((made) => Object.fromEntries(made.filter((entry) => entry !== undefined)));
}
