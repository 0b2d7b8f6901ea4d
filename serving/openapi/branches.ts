/** What schemas that choose by what they meet can come to: they are shown something of each kind. */
import * as v from "valibot";

/** A schema of an object with known members. */
export type ObjectSchema = v.GenericSchema & { readonly entries: Readonly<Record<string, v.GenericSchema>> };

/** What a schema takes, by kind. */
export interface Branches {
  /** Strings. */
  readonly text: v.GenericSchema | undefined;
  /** Arrays. */
  readonly array: v.GenericSchema | undefined;
  /** How long an array may be. */
  readonly lengths: { readonly least: number; readonly most: number | undefined };
  /** Objects. */
  readonly objects: readonly ObjectSchema[];
}

/** Shown to find the objects that a schema may choose; the words in those that come are tried as well. */
export const OBJECT_PROBES: readonly object[] = [{}, { id: "x" }, { type: "x" }];

/** Values of all kinds: what takes none of them takes nothing. */
const VALUES = [undefined, null, true, 0, 1, "", "x", [], [{}], {}];

/** Finds what a schema takes. */
export function branchesOf(schema: v.GenericSchema): Branches {
  const text = choose(schema, "");
  const array = choose(schema, [{}]);
  return {
    text: isTextSchema(text) ? text : undefined,
    array: array.type === "array" ? array : undefined,
    lengths: { least: takesArray(schema, 0) ? 0 : 1, most: mostItems(schema) },
    objects: objectsOf(schema),
  };
}

/** Longer than any limit. */
const MANY = 1_000_000;

function takesArray(schema: v.GenericSchema, length: number): boolean {
  return choose(schema, new Array(length).fill({})).type === "array";
}

/** The most items that an array may have; `undefined` if there is no limit. */
function mostItems(schema: v.GenericSchema): number | undefined {
  if (!takesArray(schema, 1) || takesArray(schema, MANY)) return undefined;
  let [most, tooMany] = [1, MANY];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (takesArray(schema, middle)) most = middle;
    else tooMany = middle;
  }
  return most;
}

/** Whether a schema chooses an object's for a value. */
export function leadsTo(schema: v.GenericSchema, object: ObjectSchema, value: object): boolean {
  return leaves(choose(schema, value)).includes(object);
}

/** The objects that a schema may choose. */
function objectsOf(schema: v.GenericSchema): ObjectSchema[] {
  const found = new Set<ObjectSchema>();
  const seen = new Set<v.GenericSchema>();
  const probes: object[] = [...OBJECT_PROBES];
  for (const probe of probes) {
    const chosen = choose(schema, probe);
    if (seen.has(chosen)) continue;
    seen.add(chosen);
    for (const object of chosen === schema ? [] : leaves(chosen)) {
      const literals = literalsOf(object);
      if (Object.keys(literals).length === 0) {
        found.add(object);
        continue;
      }
      // Only if its own words lead to it: some stand there for the message alone.
      if (leadsTo(schema, object, literals)) found.add(object);
      else probes.push(literals);
    }
  }
  return [...found];
}

function leaves(schema: v.GenericSchema): ObjectSchema[] {
  if (isObjectSchema(schema)) return [schema];
  if (schema.type === "lazy") return objectsOf(schema);
  if (schema.type !== "variant" || !("options" in schema) || !Array.isArray(schema.options)) return [];
  return schema.options.filter(isObjectSchema);
}

/** What a schema chooses for a value. */
function choose(schema: v.GenericSchema, value: unknown): v.GenericSchema {
  if (schema.type !== "lazy" || !("getter" in schema) || typeof schema.getter !== "function") return schema;
  return schema.getter(value);
}

/** The words by which an object is told from others. */
export function literalsOf({ entries }: ObjectSchema): Record<string, unknown> {
  const literals: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(entries)) if ("literal" in entry) literals[name] = entry.literal;
  return literals;
}

/** Whether a schema refuses everything: it is there for its message. */
export function isRefusal(schema: v.GenericSchema): boolean {
  return schema.type === "custom" && !VALUES.some((value) => v.is(schema, value));
}

/** Whether a schema is one of an object. */
export function isObjectSchema(schema: v.GenericSchema): schema is ObjectSchema {
  return !("pipe" in schema) && (schema.type === "loose_object" || schema.type === "object");
}

/** The schema within one that lets something be absent. */
export function unwrap(schema: v.GenericSchema): v.GenericSchema {
  if ("wrapped" in schema && isSchema(schema.wrapped)) return schema.wrapped;
  throw new Error(`Cannot look into a schema of type "${schema.type}"`);
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
}

function isTextSchema(schema: v.GenericSchema): boolean {
  return ["string", "picklist", "literal"].includes(schema.type) || (schema.type === "custom" && v.is(schema, "x"));
}
