import { createHash } from "node:crypto";

/**
 * JSON text that is the same for values that are the same: keys in order, members that are `undefined` left out.
 *
 * @param value A JSON value.
 * @returns The text.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
  });
}

/**
 * SHA-256 of a text.
 *
 * @param text The text.
 * @returns 64 hexadecimal digits.
 */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Whether a value is an object with names for its members. */
export function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The value as it is read back from JSON: what is kept in a file and what stays in memory are then alike.
 *
 * @param value Anything.
 * @returns The value as JSON keeps it; `null` if JSON has nothing for it.
 */
export function asJson(value: unknown): unknown {
  const text: string | undefined = JSON.stringify(value);
  const read: unknown = text === undefined ? null : JSON.parse(text);
  return read;
}
