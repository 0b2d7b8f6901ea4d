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
  if (Array.isArray(example)) {
    if (example.length === 0) return [{ type: "string", required: true }];
    if (example.every(isObject)) return toColumns(merge(example.map(fieldsOf)));
    const items = typeOfList(example);
    // A list is rows of one column each.
    return [{ ...(items.type === "array" ? items.items : ANY), required: true }];
  }
  if (!isObject(example)) return [{ ...typeOf(example), required: true }];
  const fields = fieldsOf(example);
  // Lists of unlike items are beyond MLflow, which then knows nothing of the whole.
  if (fields === undefined || Object.keys(example).length === 0) return [{ ...ANY, required: true }];
  return toColumns(fields);
}

function toColumns(fields: { readonly [name: string]: Field } | undefined): ColumnSpec[] {
  if (fields === undefined) return [{ ...ANY, required: true }];
  return Object.entries(fields).map(([name, { required, ...type }]) => ({ ...type, name, required }));
}

/** Types of an object's members; `undefined` if one of them is a list of unlike items. */
function fieldsOf(value: JsonObject): { readonly [name: string]: Field } | undefined {
  const fields: [string, Field][] = [];
  for (const [name, member] of Object.entries(value)) {
    const type = memberType(member);
    if (type === undefined) return undefined;
    fields.push([name, type]);
  }
  return Object.fromEntries(fields);
}

function memberType(value: unknown): Field | undefined {
  if (value === null || value === undefined) return { ...ANY, required: false };
  if (Array.isArray(value)) {
    if (value.length === 0) return { ...ANY, required: true };
    const type = unify(value);
    return type && { type: "array", items: type, required: !value.includes(null) };
  }
  if (!isObject(value)) return { ...typeOf(value), required: true };
  if (Object.keys(value).length === 0) return { ...ANY, required: true };
  const fields = fieldsOf(value);
  return fields && { type: "object", properties: sorted(fields), required: true };
}

/** The one type of a list's items; `undefined` if they are unlike. */
function unify(items: readonly unknown[]): SchemaType | undefined {
  const present = items.filter((item) => item !== null && item !== undefined);
  const [first] = present;
  if (first === undefined) return ANY;
  if (present.every(isObject)) {
    const fields = merge(present.map(fieldsOf));
    return fields && { type: "object", properties: sorted(fields) };
  }
  const types = present.map((item) => memberType(item));
  const [type] = types;
  if (type === undefined || types.some((other) => !isSame(type, other))) return undefined;
  const { required: _, ...rest } = type;
  return rest;
}

function typeOfList(items: readonly unknown[]): SchemaType {
  const type = unify(items);
  return type === undefined ? ANY : { type: "array", items: type };
}

/** Members that not all objects have are optional. */
function merge(
  objects: readonly ({ readonly [name: string]: Field } | undefined)[],
): { readonly [name: string]: Field } | undefined {
  const merged = new Map<string, Field>();
  for (const [position, fields] of objects.entries()) {
    if (fields === undefined) return undefined;
    for (const [name, field] of Object.entries(fields)) {
      const known = merged.get(name);
      if (known === undefined) merged.set(name, { ...field, required: field.required && position === 0 });
      else if (known.type === "any") merged.set(name, { ...field, required: false });
      else if (field.type === "any") merged.set(name, { ...known, required: false });
      else if (isSame(known, field)) merged.set(name, { ...known, required: known.required && field.required });
      else return undefined;
    }
    for (const [name, field] of merged) {
      if (!Object.hasOwn(fields, name)) merged.set(name, { ...field, required: false });
    }
  }
  return Object.fromEntries(merged);
}

function isSame(one: Field, other: Field | undefined): boolean {
  if (other === undefined) return false;
  const { required: _, ...type } = one;
  const { required: __, ...otherType } = other;
  return JSON.stringify(type) === JSON.stringify(otherType);
}

function sorted(fields: { readonly [name: string]: Field }): { readonly [name: string]: Field } {
  return Object.fromEntries(Object.entries(fields).toSorted(([one], [other]) => one < other ? -1 : 1));
}

function typeOf(value: unknown): { readonly type: ScalarType | "any" } {
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
    const fields = fieldsOf(value);
    if (fields === undefined) return "Expected lists of like items, found one of unlike ones";
    return { name, default: value, shape: null, type: "object", properties: sorted(fields) };
  }
  if (!Array.isArray(value)) {
    const { type } = typeOf(value);
    return type === "any" ? "Expected a value, found null: leave it out" : { name, default: value, shape: null, type };
  }
  if (value.length === 0) return { name, default: value, shape: [-1], type: "string" };
  const types = new Set(value.map((item) => typeOf(item).type));
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
