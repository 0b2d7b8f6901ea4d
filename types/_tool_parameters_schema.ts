import * as v from "valibot";
import { ENOUGH_ISSUES } from "./_list.ts";
import { explain, freeForm, isJsonObject, type JsonObject } from "./_schema.ts";

const TYPES: ReadonlySet<unknown> = new Set(["string", "number", "integer", "object", "array", "boolean", "null"]);

interface Keyword {
  readonly holds: (value: unknown) => boolean;
  readonly expects: string;
}

const isText = (value: unknown) => typeof value === "string";
const isSchema = (value: unknown) => isJsonObject(value) || typeof value === "boolean";

/** Keywords of JSON Schema that every server behind reads. What others mean is for whoever knows them. */
const KEYWORDS: readonly (readonly [name: string, keyword: Keyword])[] = [
  ["type", {
    holds: (value) => TYPES.has(value) || (Array.isArray(value) && value.every((type) => TYPES.has(type))),
    expects: "a type of JSON Schema or an array of such",
  }],
  ["description", { holds: isText, expects: "a string" }],
  ["enum", { holds: Array.isArray, expects: "an array" }],
  ["required", {
    // A flag in each property is a mistake that many make, and no one reads.
    holds: (value) => typeof value === "boolean" || (Array.isArray(value) && value.every(isText)),
    expects: "an array of strings",
  }],
  ["properties", { holds: isJsonObject, expects: "an object" }],
  ["items", {
    holds: (value) => isSchema(value) || (Array.isArray(value) && value.every(isSchema)),
    expects: "a JSON Schema",
  }],
];

/** A value inside the schema, and where it stands. */
interface Place {
  readonly value: unknown;
  readonly key: string;
  readonly within: Place | undefined;
}

/**
 * JSON Schema of a function's arguments, which are an object. It is kept as it is; only what no one could read as JSON
 * Schema is refused. Walks with a list of its own, as bodies may be nested deeper than calls can be.
 */
export const toolParameters = v.pipe(
  freeForm,
  v.rawCheck<JsonObject>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    let issueCount = 0;
    const refuse = (place: Place, expected: string) => {
      issueCount++;
      const [first, ...rest] = pathOf(place);
      addIssue({
        input: place.value,
        expected,
        message: explain,
        ...(first !== undefined && { path: [first, ...rest] }),
      });
    };
    const { type } = dataset.value;
    if (TYPES.has(type) && type !== "object") refuse({ value: type, key: "type", within: undefined }, '"object"');
    const places: Place[] = [{ value: dataset.value, key: "", within: undefined }];
    for (const place of places) {
      if (issueCount >= ENOUGH_ISSUES) break;
      const schema = place.value;
      if (!isJsonObject(schema)) {
        if (!isSchema(schema)) refuse(place, "a JSON Schema");
        continue;
      }
      const within = place === places[0] ? undefined : place;
      for (const [key, { holds, expects }] of KEYWORDS) {
        const value = schema[key];
        if (value !== undefined && value !== null && !holds(value)) refuse({ value, key, within }, expects);
      }
      const { items, properties } = schema;
      if (isJsonObject(items)) places.push({ value: items, key: "items", within });
      if (!isJsonObject(properties)) continue;
      const owner: Place = { value: properties, key: "properties", within };
      for (const key of Object.keys(properties)) places.push({ value: properties[key], key, within: owner });
    }
  }),
);

function pathOf(place: Place): v.ObjectPathItem[] {
  const path: v.ObjectPathItem[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.within) {
    path.push({ type: "object", origin: "value", input: {}, key: at.key, value: at.value });
  }
  return path.reverse();
}
