import { isJsonObject, type JsonObject } from "./_schema.ts";

/** Something in a schema that no one could read as JSON Schema. */
export interface JsonSchemaFault {
  /** Keys that lead to it, from the schema's root. */
  readonly path: readonly string[];
  /** What stands there. */
  readonly value: unknown;
  /** What would be right. */
  readonly expected: string;
}

interface Keyword {
  readonly holds: (value: unknown) => boolean;
  readonly expects: string;
}

/** The types of JSON Schema. */
export const JSON_SCHEMA_TYPES: ReadonlySet<unknown> = new Set([
  "string",
  "number",
  "integer",
  "object",
  "array",
  "boolean",
  "null",
]);

const isText = (value: unknown) => typeof value === "string";
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isSchema = (value: unknown) => isJsonObject(value) || typeof value === "boolean";
const isFull = (value: unknown) => Array.isArray(value) && value.length > 0;
const isType = (value: unknown) => JSON_SCHEMA_TYPES.has(value);
const isMap = (holds: Keyword["holds"]) => (value: unknown) => isJsonObject(value) && Object.values(value).every(holds);

const text: Keyword = { holds: isText, expects: "a string" };
const list: Keyword = { holds: Array.isArray, expects: "an array" };
const schemas: Keyword = { holds: isFull, expects: "an array of at least one JSON Schema" };
const schema: Keyword = { holds: isSchema, expects: "a JSON Schema" };
const object: Keyword = { holds: isJsonObject, expects: "an object" };
const number: Keyword = { holds: Number.isFinite, expects: "a number" };
const bound: Keyword = {
  // Draft 4 has a boolean here, for the bound beside it.
  holds: (value) => Number.isFinite(value) || typeof value === "boolean",
  expects: "a number",
};
const count: Keyword = {
  holds: (value) => Number.isInteger(value) && Number(value) >= 0,
  expects: "an integer of at least 0",
};
const flag: Keyword = { holds: (value) => typeof value === "boolean", expects: "true or false" };

/** Keywords that hold one schema, a list of schemas or a map of schemas. */
const SCHEMA_KEYWORDS = [
  "items",
  "additionalItems",
  "unevaluatedItems",
  "contains",
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
  "not",
  "if",
  "then",
  "else",
];
const LIST_KEYWORDS = ["anyOf", "oneOf", "allOf", "prefixItems", "items"];
const MAP_KEYWORDS = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/** What the values of keywords must be. What others mean is for whoever knows them. */
const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ...SCHEMA_KEYWORDS.map((name): [string, Keyword] => [name, schema]),
  ...MAP_KEYWORDS.map((name): [string, Keyword] => [name, object]),
  ["type", {
    holds: (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
    expects: "a type of JSON Schema or an array of such",
  }],
  ["description", text],
  ["enum", list],
  ["required", {
    // A flag in each property is a mistake that many make, and no one reads.
    holds: (value) => typeof value === "boolean" || isTexts(value),
    expects: "an array of strings",
  }],
  ["items", {
    holds: (value) => isSchema(value) || (Array.isArray(value) && value.every(isSchema)),
    expects: "a JSON Schema",
  }],
  ["anyOf", schemas],
  ["oneOf", schemas],
  ["allOf", list],
  ["prefixItems", list],
  ["$ref", text],
  ["pattern", text],
  ["format", text],
  ["minimum", number],
  ["maximum", number],
  ["exclusiveMinimum", bound],
  ["exclusiveMaximum", bound],
  ["multipleOf", { holds: (value) => Number.isFinite(value) && Number(value) > 0, expects: "a number above 0" }],
  ["minLength", count],
  ["maxLength", count],
  ["minItems", count],
  ["maxItems", count],
  ["minContains", count],
  ["maxContains", count],
  ["minProperties", count],
  ["maxProperties", count],
  ["uniqueItems", flag],
  ["nullable", flag],
  ["dependentRequired", { holds: isMap(isTexts), expects: "an object of arrays of strings" }],
  ["dependencies", {
    holds: isMap((value) => isSchema(value) || isTexts(value)),
    expects: "an object of JSON Schemas or arrays of strings",
  }],
]);

/** A value inside the schema, and where it stands. */
interface Place {
  readonly value: unknown;
  readonly key: string;
  readonly within: Place | undefined;
}

/**
 * Finds what no one could read as JSON Schema. That references lead somewhere, and that patterns are regular
 * expressions, is not looked at: a model that only shows the schema need not care.
 *
 * Walks with a list of its own, as bodies may be nested deeper than calls can be.
 *
 * @param root The schema.
 * @param most Faults after which no more are looked for.
 * @returns The faults.
 */
export function findJsonSchemaFaults(root: JsonObject, most: number): JsonSchemaFault[] {
  const faults: JsonSchemaFault[] = [];
  const refuse = (place: Place, expected: string) => {
    faults.push({ path: pathOf(place), value: place.value, expected });
  };
  const top: Place = { value: root, key: "", within: undefined };
  const places: Place[] = [top];
  for (const place of places) {
    if (faults.length >= most) break;
    const { value: current } = place;
    if (!isJsonObject(current)) {
      if (!isSchema(current)) refuse(place, "a JSON Schema");
      continue;
    }
    const within = place === top ? undefined : place;
    for (const key of Object.keys(current)) {
      const value = current[key];
      const keyword = KEYWORDS.get(key);
      if (keyword === undefined || value === undefined || value === null) continue;
      const inner: Place = { value, key, within };
      if (!keyword.holds(value)) refuse(inner, keyword.expects);
      else if (Array.isArray(value) && LIST_KEYWORDS.includes(key)) {
        value.forEach((value: unknown, i) => places.push({ value, key: String(i), within: inner }));
      } else if (isJsonObject(value) && SCHEMA_KEYWORDS.includes(key)) places.push(inner);
      else if (isJsonObject(value) && MAP_KEYWORDS.includes(key)) {
        for (const name of Object.keys(value)) places.push({ value: value[name], key: name, within: inner });
      }
    }
  }
  return faults;
}

function pathOf(place: Place): string[] {
  const path: string[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.within) path.push(at.key);
  return path.reverse();
}
