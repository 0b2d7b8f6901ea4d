import { ValidationError, type ValidationIssue } from "../types/mod.ts";
import {
  type ColumnSpec,
  type ModelSignature,
  type ParamSpec,
  type ScalarType,
  schemaJson,
  type SchemaType,
} from "./schema.ts";

type Field = SchemaType & { readonly required: boolean };
type Fields = { readonly [name: string]: Field };
type JsonObject = { readonly [name: string]: unknown };

/** What lists whose items differ, empty lists and `null` are: MLflow looks no further either. */
const ANY: SchemaType = { type: "any" };

/**
 * The signature that follows from an example, as MLflow infers it. Numbers without a fraction are `long`, others
 * `double`: JSON does not tell `1` from `1.0`.
 *
 * @param input What the model takes.
 * @param params Its params, with their values as defaults.
 * @param output What it gives; `undefined` if that is not known.
 * @returns The signature.
 * @throws {ValidationError} If params have values that MLflow has no type for.
 */
export function inferSignature(input: unknown, params?: JsonObject, output?: unknown): ModelSignature {
  return {
    inputs: input === null || input === undefined ? null : schemaJson(inferColumns(input)),
    outputs: output === null || output === undefined ? null : schemaJson(inferColumns(output)),
    params: params === undefined || Object.keys(params).length === 0 ? null : schemaJson(inferParams(params)),
  };
}

/** The columns of an example: the members of an object, of each object of a list, or one without a name. */
export function inferColumns(example: unknown): ColumnSpec[] {
  // Lists of unlike items are beyond MLflow, which then knows nothing of the whole.
  return columnsOf(example) ?? [{ ...ANY, required: true }];
}

function columnsOf(example: unknown): ColumnSpec[] | undefined {
  if (Array.isArray(example)) {
    if (example.length === 0) return [{ type: "string", required: true }];
    if (example.every(isObject)) return columnsOfRows(example);
    const items = itemType(example); // A list is rows of one column each.
    return items && [{ ...items, required: true }];
  }
  if (!isObject(example)) return [{ ...scalarOf(example), required: true }];
  const columns: ColumnSpec[] = [];
  for (const [name, value] of Object.entries(example)) {
    const type = typeOf(value);
    if (type === undefined) return undefined;
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    columns.push({ ...type, name, required: !items.some(isAbsent) });
  }
  return columns.length === 0 ? undefined : columns;
}

/** Columns that not all rows have are optional. */
function columnsOfRows(rows: readonly JsonObject[]): ColumnSpec[] | undefined {
  const columns: ColumnSpec[] = [];
  for (const name of new Set(rows.flatMap((row) => Object.keys(row)))) {
    const type = itemType(rows.filter((row) => Object.hasOwn(row, name)).map((row) => row[name]));
    if (type === undefined) return undefined;
    columns.push({ ...type, name, required: rows.every((row) => Object.hasOwn(row, name) && !isAbsent(row[name])) });
  }
  return columns.length === 0 ? undefined : columns;
}

/** The type of a value; `undefined` if there is a list of unlike items in it. */
function typeOf(value: unknown): SchemaType | undefined {
  if (Array.isArray(value)) {
    if (value.length === 0) return ANY;
    const items = itemType(value);
    return items && { type: "array", items };
  }
  if (!isObject(value)) return scalarOf(value);
  return Object.keys(value).length === 0 ? ANY : objectType(value);
}

function objectType(value: JsonObject): SchemaType | undefined {
  const fields: [string, Field][] = [];
  for (const [name, member] of Object.entries(value)) {
    const type = typeOf(member);
    if (type === undefined) return undefined;
    fields.push([name, { ...type, required: type.type !== "any" }]);
  }
  return { type: "object", properties: sorted(fields) };
}

/** The one type of a list's items; `undefined` if they are unlike. */
function itemType(items: readonly unknown[]): SchemaType | undefined {
  let merged: SchemaType | undefined;
  for (const item of items) {
    const type = typeOf(item);
    if (type === undefined) return undefined;
    merged = merged === undefined ? type : merge(merged, type);
    if (merged === undefined) return undefined;
  }
  return merged;
}

/** The type of both; `undefined` if there is none. What is unknown of one is taken from the other. */
function merge(one: SchemaType, other: SchemaType): SchemaType | undefined {
  if (one.type === "any") return other.type === "object" ? mergeFields(other.properties, {}) : other;
  if (one.type === "object") {
    if (other.type === "any") return mergeFields(one.properties, {});
    return other.type === "object" ? mergeFields(one.properties, other.properties) : undefined;
  }
  if (other.type === "any") return one;
  if (one.type === "array" && other.type === "array") {
    const items = merge(one.items, other.items);
    return items && { type: "array", items };
  }
  return one.type === other.type ? one : undefined;
}

/** Members that not both have are optional. */
function mergeFields(one: Fields, other: Fields): SchemaType | undefined {
  const fields: [string, Field][] = [];
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const field = fieldOf(one, name);
    const otherField = fieldOf(other, name);
    if (field !== undefined && otherField !== undefined) {
      const type = merge(field, otherField);
      if (type === undefined) return undefined;
      fields.push([name, { ...type, required: field.required && otherField.required }]);
      continue;
    }
    const only = field ?? otherField;
    if (only !== undefined) fields.push([name, { ...only, required: false }]);
  }
  return { type: "object", properties: sorted(fields) };
}

function fieldOf(fields: Fields, name: string): Field | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function sorted(fields: readonly [string, Field][]): Fields {
  return Object.fromEntries(fields.toSorted(([one], [other]) => one < other ? -1 : 1));
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

function scalarOf(value: unknown): { readonly type: ScalarType | "any" } {
  switch (typeof value) {
    case "boolean":
      return { type: "boolean" };
    case "string":
      return { type: "string" };
    case "number":
      return { type: Number.isInteger(value) ? "long" : "double" };
    default:
      return { type: "any" };
  }
}

function inferParams(params: JsonObject): ParamSpec[] {
  const issues: ValidationIssue[] = [];
  const specs = Object.entries(params).flatMap(([name, value]): ParamSpec[] => {
    const spec = inferParam(name, value);
    if (typeof spec !== "string") return [spec];
    issues.push({ path: name, message: spec });
    return [];
  });
  if (issues.length > 0) throw new ValidationError("Cannot infer the params of the model", issues);
  return specs;
}

/** The spec of a param, or what is wrong with it. */
function inferParam(name: string, value: unknown): ParamSpec | string {
  if (isObject(value)) {
    if (Object.keys(value).length === 0) return "Expected an object with members, found an empty one: leave it out";
    const type = objectType(value);
    if (type?.type !== "object") return "Expected lists of like items, found one of unlike ones";
    return { name, default: value, shape: null, type: "object", properties: type.properties };
  }
  if (!Array.isArray(value)) {
    const { type } = scalarOf(value);
    return type === "any" ? "Expected a value, found null: leave it out" : { name, default: value, shape: null, type };
  }
  if (value.length === 0) return { name, default: value, shape: [-1], type: "string" };
  const types = new Set(value.map((item) => scalarOf(item).type));
  if (types.has("any")) return "Expected a list of single values, found one of lists, objects or null";
  // As MLflow, which makes floats of whole numbers beside others.
  const type: ScalarType | "any" | undefined = types.size === 1
    ? [...types][0]
    : types.size === 2 && types.has("long") && types.has("double")
    ? "double"
    : undefined;
  if (type === undefined || type === "any") return "Expected a list of values of one type, found unlike ones";
  return { name, default: value, shape: [-1], type };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
