import { SchemaValidator } from "../../adapters/ollama/schema_validator.ts";
import { type JsonSchema, ValidationError } from "../../types/mod.ts";
import { canonicalJson, isRecord } from "../_canonical_json.ts";
import { missing } from "./_texts.ts";
import type { ScoredRow, Scorer } from "./scorer.ts";

/** Options for scorers that read JSON. */
export interface JsonOptions {
  /** Name of the scores. Default: the scorer's own. */
  readonly name?: string;
  /** Whether the JSON may stand in a Markdown fence (` ```json `), with text around it. @default {false} */
  readonly allowFence?: boolean;
}

/** Options for {@linkcode jsonSchema}. */
export interface JsonSchemaOptions extends JsonOptions {
  /** The schema. Default: of each row its `expectations.expected_schema`. */
  readonly schema?: JsonSchema;
}

/**
 * Whether the answer is JSON that follows a JSON Schema. It is checked in bounded time.
 *
 * @param options The schema.
 * @returns The scorer `json_schema`. Its values are booleans; the rationale names what is wrong, without the answer's own
 * words. A row that the model fails on counts as `false`.
 * @throws {ValidationError} If the schema cannot be worked with.
 */
export function jsonSchema(options: JsonSchemaOptions = {}): Scorer {
  const { schema, allowFence = false, name = "json_schema" } = options;
  const given = schema === undefined
    ? undefined
    : toValidator(schema, { action: `make scorer "${name}"`, path: "schema" });
  /** Rows mostly have the same few. */
  const known = new Map<string, SchemaValidator>();
  const validatorOf = (own: unknown): SchemaValidator => {
    if (!isRecord(own)) throw missing(name, "expected_schema", "must be a JSON Schema");
    const key = canonicalJson(own);
    const validator = known.get(key) ??
      toValidator(own, { action: `score by "${name}"`, path: "expectations.expected_schema" });
    if (known.size < 100) known.set(key, validator);
    return validator;
  };
  return {
    name,
    whenFailed: false,
    config: { scorer: "json_schema", allowFence, ...(schema !== undefined && { schema: canonicalJson(schema) }) },
    score: (row) => {
      const validator = given ?? validatorOf(row.expectations.expected_schema);
      const answer = readAnswer(row, allowFence);
      if (answer === undefined) return { value: false, rationale: "The answer is no JSON" };
      const fault = validator.findFault(answer.value);
      return fault === undefined
        ? true
        : { value: false, rationale: `The answer does not follow the schema: ${fault}` };
    },
  };
}

/**
 * Whether the answer is JSON that is equal to what is expected: `expectations.expected_json`, or the JSON of
 * `expected_response`. The order of keys is of no matter, that of lists is; 1 and 1.0 are equal.
 *
 * @param options How the answer is read.
 * @returns The scorer `json_equality`. Its values are booleans; the rationale names the first place that differs. A row
 * that the model fails on counts as `false`.
 */
export function jsonEquality(options: JsonOptions = {}): Scorer {
  const { allowFence = false, name = "json_equality" } = options;
  return {
    name,
    whenFailed: false,
    config: { scorer: "json_equality", allowFence },
    score: (row) => {
      const expected = expectedJson(row, name);
      const answer = readAnswer(row, allowFence);
      if (answer === undefined) return { value: false, rationale: "The answer is no JSON" };
      const place = firstDifference(answer.value, expected, []);
      if (place === undefined) return true;
      return {
        value: false,
        rationale: `The answer differs at ${place.length === 0 ? "its root" : `"${place.join(".")}"`}`,
      };
    },
  };
}

function expectedJson({ expectations }: ScoredRow, name: string): unknown {
  if (expectations.expected_json !== undefined) return expectations.expected_json;
  const text = expectations.expected_response;
  try {
    if (typeof text !== "string") throw new SyntaxError();
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw missing(name, "expected_json", 'must be JSON; or "expected_response" must be a text of JSON');
  }
}

function readAnswer({ text }: ScoredRow, allowFence: boolean): { readonly value: unknown } | undefined {
  const [, fenced] = allowFence ? /```(?:json)?[ \t]*\r?\n([\s\S]*?)\r?\n[ \t]*```/i.exec(text) ?? [] : [];
  try {
    return { value: JSON.parse(fenced ?? text) };
  } catch {
    return undefined;
  }
}

/**
 * Where two JSON values differ first.
 *
 * @param one A value.
 * @param other A value.
 * @param path Where they stand.
 * @returns The place; `undefined` if they are equal.
 */
export function firstDifference(one: unknown, other: unknown, path: readonly string[]): readonly string[] | undefined {
  if (Array.isArray(one) && Array.isArray(other)) {
    for (let i = 0; i < Math.max(one.length, other.length); i++) {
      if (i >= one.length || i >= other.length) return [...path, String(i)];
      const place = firstDifference(one[i], other[i], [...path, String(i)]);
      if (place !== undefined) return place;
    }
    return undefined;
  }
  if (isRecord(one) && isRecord(other)) {
    for (const key of new Set([...Object.keys(other), ...Object.keys(one)])) {
      if (!Object.hasOwn(one, key) || !Object.hasOwn(other, key)) return [...path, key];
      const place = firstDifference(one[key], other[key], [...path, key]);
      if (place !== undefined) return place;
    }
    return undefined;
  }
  return one === other ? undefined : path;
}

function toValidator(
  schema: JsonSchema,
  { action, path }: { readonly action: string; readonly path: string },
): SchemaValidator {
  try {
    return new SchemaValidator(schema);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ValidationError(`Cannot ${action}`, [{ path, message }], { cause });
  }
}
