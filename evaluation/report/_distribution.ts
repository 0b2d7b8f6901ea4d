import type { EvaluationResult } from "../results/mod.ts";
import { showNumber } from "./_numbers.ts";

/** One of the versions that a report shows. */
export interface Version {
  /** What it is to the other. */
  readonly role: "candidate" | "baseline";
  /** Its evaluation. */
  readonly result: EvaluationResult;
}

/** How often something occurs in a version. */
export interface Occurrence {
  /** The version. */
  readonly role: Version["role"];
  /** How many rows. */
  readonly count: number;
}

/** How a score's values are spread: by what they are, or over bins of equal width. */
export type Distribution =
  | { readonly kind: "categories"; readonly bars: readonly (Occurrence & { readonly label: string })[] }
  | {
    readonly kind: "bins";
    /** Ends of all bins together. */
    readonly domain: readonly [number, number];
    readonly bars: readonly (Occurrence & { readonly low: number; readonly high: number })[];
  };

/** Up to so many values that differ are shown one by one. */
const MOST_VALUES = 12;
const MOST_BINS = 24;

/** Most categories with a bar of their own. */
const MOST_CATEGORIES = 12;
const OTHERS = "(others)";

/**
 * Counts the values of a score.
 *
 * @param name Name of the score.
 * @param versions The versions.
 * @returns How they are spread; `undefined` if there are none.
 */
export function distributionOf(name: string, versions: readonly Version[]): Distribution | undefined {
  const kinds = new Set(versions.flatMap(({ result }) => result.scores.get(name)?.kind ?? []));
  kinds.delete("none");
  if (kinds.size === 0) return undefined;
  if (kinds.has("category")) return categories(name, versions);
  const columns = versions.map(({ role, result }) => ({
    role,
    values: result.columns.get(name)?.values.filter((value) => !Number.isNaN(value)) ?? new Float64Array(),
  }));
  if (!kinds.has("number")) {
    return {
      kind: "categories",
      bars: columns.flatMap(({ role, values }) =>
        [0, 1].map((number) => ({ role, label: number === 1 ? "yes" : "no", count: countOf(values, number) }))
      ),
    };
  }
  const known = new Set<number>();
  for (const { values } of columns) {
    for (const value of values) if (known.size <= MOST_VALUES) known.add(value);
  }
  return known.size <= MOST_VALUES ? singleValues(columns, [...known].sort((a, b) => a - b)) : bins(columns);
}

interface Column {
  readonly role: Version["role"];
  readonly values: Float64Array;
}

function singleValues(columns: readonly Column[], known: readonly number[]): Distribution {
  const bars = columns.flatMap(({ role, values }) =>
    known.map((value) => ({ role, label: showNumber(value), count: countOf(values, value) }))
  );
  return { kind: "categories", bars };
}

function bins(columns: readonly Column[]): Distribution {
  let [least, most] = [Infinity, -Infinity];
  for (const { values } of columns) {
    for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  }
  const step = niceStep((most - least) / MOST_BINS);
  const start = Math.floor(least / step) * step;
  const size = Math.max(1, Math.ceil((most - start) / step));
  const bars = columns.flatMap(({ role, values }) => {
    const counts = new Array<number>(size).fill(0);
    for (const value of values) {
      // The greatest value belongs to the last bin.
      const place = Math.min(size - 1, Math.max(0, Math.floor((value - start) / step)));
      counts[place] = (counts[place] ?? 0) + 1;
    }
    return counts.map((count, place) => ({ role, low: start + place * step, high: start + (place + 1) * step, count }));
  });
  return { kind: "bins", domain: [start, start + size * step], bars };
}

/** The next larger of 1, 2, 5, 10, … times a power of ten. */
function niceStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  return ([1, 2, 5].find((factor) => factor * power >= width) ?? 10) * power;
}

function categories(name: string, versions: readonly Version[]): Distribution {
  const counts = versions.map(({ role, result }) => ({ role, categories: result.scores.get(name)?.categories ?? {} }));
  const totals = new Map<string, number>();
  for (const { categories } of counts) {
    for (const [label, count] of Object.entries(categories)) totals.set(label, (totals.get(label) ?? 0) + count);
  }
  const sorted = [...totals].sort((a, b) => b[1] - a[1]).map(([label]) => label);
  const [shown, hidden] = [sorted.slice(0, MOST_CATEGORIES), sorted.slice(MOST_CATEGORIES)];
  return {
    kind: "categories",
    bars: counts.flatMap(({ role, categories }) => [
      ...shown.map((label) => ({ role, label, count: categories[label] ?? 0 })),
      ...(hidden.length === 0
        ? []
        : [{ role, label: OTHERS, count: hidden.reduce((sum, label) => sum + (categories[label] ?? 0), 0) }]),
    ]),
  };
}

function countOf(values: Float64Array, wanted: number): number {
  let count = 0;
  for (const value of values) if (value === wanted) count++;
  return count;
}
