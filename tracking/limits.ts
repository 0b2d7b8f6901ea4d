import { TrackingError } from "./errors.ts";

/** MLflow's limits: characters of texts, things in one call. */
export const LIMITS = {
  /** Characters of an experiment's name. */
  experimentName: 500,
  /** Characters of an experiment's artifact location. */
  artifactLocation: 2048,
  /** Characters of the value of an experiment's tag. */
  experimentTagValue: 20_000,
  /** Characters of the key of a metric, param or tag. */
  key: 250,
  /** Characters of the value of a param. */
  paramValue: 6000,
  /** Characters of the value of a run's tag. */
  tagValue: 8000,
  /** Metrics in one batch, and everything together. */
  batchMetrics: 1000,
  /** Params in one batch, and tags. */
  batchParams: 100,
  /** Datasets in one call. */
  batchDatasets: 1000,
  /** Things on one page of a search. */
  pageSize: 50_000,
} as const;

/**
 * The error for a value that cannot be taken.
 *
 * @param action What cannot be done, such as `log to run "…"`.
 * @param fault What is wrong and what would be right.
 * @returns The error.
 */
export function invalid(action: string, fault: string): TrackingError {
  return new TrackingError("INVALID_PARAMETER_VALUE", `Cannot ${action}: ${fault}`);
}

/**
 * Refuses a key that MLflow would not take: letters, digits, spaces and `_ - . : /` only, at most 250 characters, and
 * nothing that is another name when read as a path.
 *
 * @param action What is being done.
 * @param what What the key is of, such as `param`.
 * @param key The key.
 */
export function checkKey(action: string, what: string, key: string): void {
  if (!/^[/\p{L}\p{N}_.\- :]*$/u.test(key)) {
    throw invalid(action, `${what} "${key}" has other characters than letters, digits, spaces and _ - . : /`);
  }
  if (key.startsWith("..") || key.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw invalid(action, `${what} "${key}" is another name when read as a path: leave out empty parts, "." and ".."`);
  }
  checkLength(action, `the key of ${what} "${shorten(key)}"`, { text: key, limit: LIMITS.key });
}

/**
 * Refuses a text that is too long. MLflow would cut some of them without a word.
 *
 * @param action What is being done.
 * @param what What the text is.
 * @param length The text, and the most characters that it may have.
 */
export function checkLength(
  action: string,
  what: string,
  { text, limit }: { readonly text: string; readonly limit: number },
): void {
  if (text.length <= limit) return;
  // MLflow counts characters where JavaScript counts UTF-16 units.
  const { length } = Array.from(text);
  if (length > limit) {
    throw invalid(action, `${what} has ${length} characters, but may have ${limit}. Log longer text as an artifact`);
  }
}

/**
 * Refuses more things than one call may have.
 *
 * @param action What is being done.
 * @param what Name of the things.
 * @param count How many there are, and how many there may be.
 */
export function checkCount(
  action: string,
  what: string,
  { count, limit }: { readonly count: number; readonly limit: number },
): void {
  if (count > limit) throw invalid(action, `it has ${count} ${what}, but may have ${limit}. Split it up`);
}

/**
 * Refuses a time or a step that is no whole number.
 *
 * @param action What is being done.
 * @param what What the number is.
 * @param number The number, and the least that it may be.
 */
export function checkWhole(
  action: string,
  what: string,
  { value, least }: { readonly value: number; readonly least?: number },
): void {
  if (Number.isSafeInteger(value) && (least === undefined || value >= least)) return;
  throw invalid(
    action,
    `${what} must be a whole number${least === undefined ? "" : ` from ${least} up`}, not ${value}`,
  );
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
