import type { Tags } from "./entities.ts";
import { checkLength, invalid, LIMITS } from "./limits.ts";
import type { AssessmentValue } from "./trace_entities.ts";
import { dumpJson, isObject } from "./_trace_json.ts";
import type { LogExpectationOptions, LogFeedbackOptions } from "./trace_store.ts";

/** An assessment that may be logged. */
export interface CheckedAssessment {
  readonly kind: "feedback" | "expectation";
  readonly name: string;
  readonly value: unknown;
  readonly source: { readonly type: string; readonly id: string };
  readonly metadata: Tags;
  readonly spanId: string | undefined;
  readonly rationale: string | undefined;
  readonly error: { readonly code: string; readonly message: string | undefined } | undefined;
  readonly overrides: string | undefined;
}

const SOURCE_TYPES: readonly string[] = ["HUMAN", "CODE", "LLM_JUDGE"];

/** Makes sure that a judgement may be logged. */
export function checkFeedback(action: string, options: LogFeedbackOptions): CheckedAssessment {
  const { value = null, error, rationale, overrides } = options;
  if (value === null && error === undefined) {
    throw invalid(action, "value is missing. Give the judgement, or the error for which there is none");
  }
  return {
    ...check(action, { ...options, value }, { type: "CODE", id: "default" }),
    kind: "feedback",
    rationale,
    error: error === undefined ? undefined : { code: error.code, message: error.message },
    overrides,
  };
}

/** Makes sure that an expectation may be logged. */
export function checkExpectation(action: string, options: LogExpectationOptions): CheckedAssessment {
  if (options.value === null || options.value === undefined) {
    throw invalid(action, "value is missing. Give what would have been right");
  }
  return {
    ...check(action, options, { type: "HUMAN", id: "default" }),
    kind: "expectation",
    rationale: undefined,
    error: undefined,
    overrides: undefined,
  };
}

function check(
  action: string,
  options: LogExpectationOptions,
  defaults: { readonly type: string; readonly id: string },
) {
  const { name, value, source, metadata = {}, spanId } = options;
  if (name === "") throw invalid(action, "name must not be empty");
  checkLength(action, "name", { text: name, limit: LIMITS.key });
  if (!isJson(value)) throw invalid(action, `the value of "${name}" is no value of JSON`);
  const type = source?.type ?? defaults.type;
  if (!SOURCE_TYPES.includes(type)) {
    throw invalid(action, `source.type must be "HUMAN", "CODE" or "LLM_JUDGE", but is "${type}"`);
  }
  const id = source?.id ?? defaults.id;
  checkLength(action, "source.id", { text: id, limit: LIMITS.key });
  return { name, value, source: { type, id }, metadata, spanId };
}

/** Whether something is the same when it comes back from JSON: NaN would be null, and a date text. */
function isJson(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value !== "object") return false;
  if (!Array.isArray(value) && ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return false;
  try {
    if (dumpJson(value) === undefined) return false;
  } catch {
    return false; // It contains itself.
  }
  return Object.values(value).every(isJson);
}

/** A value that came from JSON. */
export function toAssessmentValue(value: unknown): AssessmentValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(toAssessmentValue);
  if (!isObject(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toAssessmentValue(member)]));
}
