import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as v from "valibot";
import { ValidationError } from "../../../mod.ts";
import { checkMetadata } from "../../../serving/_metadata.ts";
import { ANSWERS, REQUESTS } from "../../../serving/openapi/components.ts";
import { isObjectSchema } from "../../../serving/openapi/branches.ts";
import { Plain } from "../../../serving/openapi/plain.ts";
import { namedSchema } from "./_document.ts";
import { valueLike } from "./_values.ts";

/** What is checked by more than a schema that can be translated, or is none of the code's own. */
const WRITTEN_BY_HAND = new Set(["InvocationRequest", "ChatCompletionUpdate", "Metadata"]);

/** Where the route checks more than the schema: labels have limits. */
function withoutLabels(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { metadata: _, ...rest } = { metadata: undefined, ...value };
  return rest;
}

for (const [name, schema] of Object.entries(REQUESTS)) {
  if (WRITTEN_BY_HAND.has(name)) continue;
  Deno.test(`The document's ${name} takes what the code takes, and nothing else`, () => {
    const validate = namedSchema(name);
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(valueLike(name), (given) => {
        const value: unknown = JSON.parse(JSON.stringify(withoutLabels(given)));
        // That an object is no array, and a request's fields are no null, is seen to before the schema is asked.
        const isTaken = !(Array.isArray(value) && isObjectSchema(schema)) &&
          v.is(schema, name.endsWith("Request") ? withoutNulls(value) : value);
        isTaken ? taken++ : refused++;
        assertEquals(validate(value), isTaken, JSON.stringify(value));
      }),
      { numRuns: 800 },
    );
    assert(taken > 10, `Only ${taken} values were taken`);
    assert(refused > 5, `Only ${refused} values were refused`);
  });
}

Deno.test("The document's Metadata takes what the code takes, and nothing else", () => {
  const validate = namedSchema("Metadata");
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, ""]));
  const character = "\u{1F600}"; // One character, two UTF-16 units.
  for (
    const value of [
      {},
      pairs(16),
      pairs(17),
      { a: 1 },
      { a: null },
      [],
      "x",
      ...[64, 65].map((length) => ({ [character.repeat(length)]: "" })),
      ...[512, 513].map((length) => ({ a: character.repeat(length) })),
    ]
  ) {
    assertEquals(validate(value), isTaken(() => checkMetadata(value, "Cannot test")), JSON.stringify(value));
  }
});

function isTaken(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    assert(ValidationError.isInstance(error), String(error));
    return false;
  }
}

Deno.test("The document has every named schema, requests and answers", () => {
  for (const name of Object.keys({ ...REQUESTS, ...ANSWERS })) namedSchema(name);
});

Deno.test("Plain.of() fails when a schema checks by a function that it does not know", () => {
  const plain = new Plain({ writer: "client" });
  for (
    const schema of [
      v.pipe(v.string(), v.check(() => true)),
      v.custom(() => true),
      v.date(),
      v.lazy(() => v.date()),
    ]
  ) {
    let failure: unknown;
    try {
      plain.of(schema);
    } catch (error) {
      failure = error;
    }
    assert(failure instanceof Error && failure.message.startsWith("Cannot describe"), String(failure));
  }
});

function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}
