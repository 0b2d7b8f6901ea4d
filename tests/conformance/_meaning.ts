/** What of a recorded value counts when it is compared with ours. */
import { isRecord } from "./_vectors.ts";

/**
 * What MLflow's classes write where the caller said nothing. Here unset stays unset; that MLflow sets these is what the
 * vectors on defaults are about, in all others they are left out of the comparison.
 */
const FORCED: { readonly [key: string]: readonly unknown[] } = {
  temperature: [1],
  n: [1],
  stream: [false],
  type: ["function", "object"],
  strict: [false],
  role: ["assistant"],
};

/** Objects of which every member counts, `null` too. */
const VERBATIM = new Set(["custom_inputs", "custom_outputs"]);

/** MLflow's output without what it set by itself. */
export function withoutForced(output: unknown, input: unknown): unknown {
  if (Array.isArray(output)) {
    return output.map((item, i) => withoutForced(item, Array.isArray(input) ? input[i] : undefined));
  }
  if (!isRecord(output)) return output;
  const given = isRecord(input) ? input : {};
  return Object.fromEntries(
    Object.entries(output)
      .filter(([key, value]) => (given[key] ?? undefined) !== undefined || !FORCED[key]?.includes(value))
      .map(([key, value]) => [key, VERBATIM.has(key) ? value : withoutForced(value, given[key])]),
  );
}

/** A value without members that are `null` or absent, but for objects that are handed on as they are. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([key, member]) => [key, VERBATIM.has(key) ? member : withoutNulls(member)]),
  );
}

/** Our value with MLflow's marks where it has a new id or the time of day, as these differ on every run. */
export function marked(actual: unknown, expected: unknown): unknown {
  if (expected === "<uuid4>" && typeof actual === "string" && actual !== "") return expected;
  if (expected === "<now>" && Number.isSafeInteger(actual)) return expected;
  if (Array.isArray(actual) && Array.isArray(expected)) return actual.map((item, i) => marked(item, expected[i]));
  if (!isRecord(actual) || !isRecord(expected)) return actual;
  return Object.fromEntries(Object.entries(actual).map(([key, value]) => [key, marked(value, expected[key])]));
}

/** Whether a value has all that another has, and possibly more. */
export function contains(value: unknown, part: unknown): boolean {
  if (Array.isArray(value) && Array.isArray(part)) {
    return value.length === part.length && part.every((item, i) => contains(value[i], item));
  }
  if (!isRecord(value) || !isRecord(part)) return Object.is(value, part);
  return Object.entries(part).every(([key, member]) => Object.hasOwn(value, key) && contains(value[key], member));
}
