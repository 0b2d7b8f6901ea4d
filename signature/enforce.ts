import type { ValidationIssue } from "../types/mod.ts";
import type { ColumnSpec, ParamSpec, ScalarType, SchemaType } from "./schema.ts";

type JsonObject = { readonly [name: string]: unknown };

/**
 * What is wrong with an input: missing members, and members of other types. Members that the schema does not name are
 * no matter. `null` counts as absent, and whole numbers fit `double`.
 *
 * @param columns What the model takes.
 * @param input What it was given: an object, or rows of objects.
 * @returns All issues; empty if there are none.
 */
export function checkInput(columns: readonly ColumnSpec[], input: unknown): ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  const [first] = columns;
  if (columns.length === 1 && first !== undefined && first.name === undefined) {
    // Rows of one column, or one row.
    if (Array.isArray(input)) input.forEach((item: unknown, i) => checkType(first, item, String(i), issues));
    else checkType(first, input, "", issues);
    return issues;
  }
  const fields = Object.fromEntries(columns.map(({ name = "", ...type }) => [name, type]));
  if (Array.isArray(input)) input.forEach((row: unknown, i) => checkFields(fields, row, String(i), issues));
  else checkFields(fields, input, "", issues);
  return issues;
}

function checkFields(
  fields: { readonly [name: string]: SchemaType & { readonly required: boolean } },
  value: unknown,
  path: string,
  issues: ValidationIssue[],
): void {
  if (!isObject(value)) {
    issues.push({ path, message: `Expected an object, found ${nameOf(value)}` });
    return;
  }
  for (const [name, type] of Object.entries(fields)) {
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    const inside = path === "" ? name : `${path}.${name}`;
    if (member !== undefined && member !== null) checkType(type, member, inside, issues);
    else if (type.required) issues.push({ path: inside, message: `Expected ${describe(type)}, found nothing` });
  }
}

function checkType(type: SchemaType, value: unknown, path: string, issues: ValidationIssue[]): void {
  switch (type.type) {
    case "any":
      return;
    case "array":
      if (Array.isArray(value)) {
        value.forEach((item: unknown, i) => {
          if (item !== null) checkType(type.items, item, path === "" ? String(i) : `${path}.${i}`, issues);
        });
        return;
      }
      break;
    case "object":
      return checkFields(type.properties, value, path, issues);
    case "map":
      if (isObject(value)) {
        for (const [key, member] of Object.entries(value)) {
          if (member !== null) checkType(type.values, member, path === "" ? key : `${path}.${key}`, issues);
        }
        return;
      }
      break;
    default:
      if (isScalar(type.type, value)) return;
  }
  issues.push({ path, message: `Expected ${describe(type)}, found ${nameOf(value)}` });
}

/** Params that were checked. */
export interface EnforcedParams {
  /** The values to use: those given, the defaults of the others. */
  readonly params: { readonly [name: string]: unknown };
  /** Names that were given but are none of the model's. */
  readonly unknown: readonly string[];
  /** All that is wrong. */
  readonly issues: readonly ValidationIssue[];
}

/**
 * Checks params as MLflow does: a `long` does for a `double`, nothing else is converted. `null` counts as absent.
 *
 * @param specs The model's params.
 * @param given What the caller gave.
 * @returns The values, and what is wrong or unknown.
 */
export function enforceParams(specs: readonly ParamSpec[], given: JsonObject): EnforcedParams {
  const issues: ValidationIssue[] = [];
  const params = new Map<string, unknown>(); // Any name may come, "__proto__" too.
  for (const spec of specs) {
    const value = Object.hasOwn(given, spec.name) ? given[spec.name] : undefined;
    if (value === undefined || value === null) {
      params.set(spec.name, structuredClone(spec.default));
      continue;
    }
    params.set(spec.name, value);
    const type: SchemaType = spec.type === "object"
      ? { type: "object", properties: spec.properties ?? {} }
      : { type: spec.type };
    checkType(spec.shape === null ? type : { type: "array", items: type }, value, spec.name, issues);
  }
  const known = new Set(specs.map(({ name }) => name));
  return {
    params: Object.fromEntries(params),
    unknown: Object.keys(given).filter((name) => !known.has(name)),
    issues,
  };
}

function isScalar(type: ScalarType, value: unknown): boolean {
  switch (type) {
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return Number.isInteger(value) && Number(value) >= -(2 ** 31) && Number(value) < 2 ** 31;
    case "long":
      return Number.isInteger(value);
    case "float":
    case "double":
      return typeof value === "number";
    default:
      return typeof value === "string"; // Bytes and times are text in JSON.
  }
}

function describe(type: SchemaType): string {
  switch (type.type) {
    case "array":
      return "an array";
    case "object":
    case "map":
      return "an object";
    case "boolean":
      return "true or false";
    case "integer":
    case "long":
      return "a whole number";
    case "float":
    case "double":
      return "a number";
    case "any":
      return "a value";
    default:
      return "a string";
  }
}

/** Never the value itself: it may be a prompt. */
function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : value === undefined ? "nothing" : `a ${typeof value}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
