import type { Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";

/** A value of a param or tag: text as it is, objects and arrays as JSON, all else as `String()` writes it. */
export type LoggableValue = string | number | bigint | boolean | null | undefined | object;

/** The values as text. */
export function toTags(values: { readonly [key: string]: LoggableValue }): Tags {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, toText(key, value)]));
}

function toText(key: string, value: LoggableValue): string {
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (cause) {
    const message = `Cannot log "${key}": its value has no JSON form. Log it as text`;
    throw new TrackingError("INVALID_PARAMETER_VALUE", message, { cause });
  }
}

/** The entries in groups of at most a number, as the stores' limits demand. */
export function inBatches<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const batches: (readonly Item[])[] = [];
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size));
  return batches;
}
