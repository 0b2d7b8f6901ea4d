/** The labels of answers that are kept. */
import * as v from "valibot";
import { ValidationError, type ValidationIssue } from "../types/mod.ts";
import { freeForm, text } from "../types/_schema.ts";
import { setMember } from "../types/_shape.ts";

/** OpenAI's limits, by its API reference; lengths in characters. */
const MAX_PAIRS = 16;
const MAX_KEY = 64;
const MAX_VALUE = 512;

/**
 * Checks labels: at most 16 pairs of text, keys of at most 64 characters, values of at most 512.
 *
 * @param value The labels; `null` and `undefined` are none.
 * @param action What cannot be done if they are wrong.
 * @returns The labels.
 * @throws {ValidationError} If they are not as they must be.
 */
export function checkMetadata(value: unknown, action: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  const labels = v.safeParse(freeForm, value);
  if (!labels.success) throw wrong(action, [{ path: "metadata", message: labels.issues[0].message }]);
  const pairs = Object.entries(labels.output);
  if (pairs.length > MAX_PAIRS) {
    throw wrong(action, [{ path: "metadata", message: `Expected at most ${MAX_PAIRS} pairs, found ${pairs.length}` }]);
  }
  const metadata: Record<string, string> = {};
  const issues: ValidationIssue[] = [];
  for (const [key, value] of pairs) {
    const label = v.safeParse(text, value);
    const keyLength = lengthOf(key);
    if (keyLength > MAX_KEY) {
      const message = `Expected keys of at most ${MAX_KEY} characters, found one of ${keyLength}`;
      issues.push({ path: "metadata", message });
    } else if (!label.success) {
      issues.push({ path: `metadata.${key}`, message: label.issues[0].message });
    } else if (lengthOf(label.output) > MAX_VALUE) {
      const message = `Expected at most ${MAX_VALUE} characters, found ${lengthOf(label.output)}`;
      issues.push({ path: `metadata.${key}`, message });
    } else setMember(metadata, key, label.output);
  }
  if (issues.length > 0) throw wrong(action, issues);
  return metadata;
}

/** Characters, as people and Python count them. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

function wrong(action: string, issues: readonly ValidationIssue[]): ValidationError {
  return new ValidationError(action, issues);
}
