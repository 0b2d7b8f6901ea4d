const NUMBER = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const PERCENT = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const SIGNED = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, signDisplay: "exceptZero" });

/** A number with four digits that count. */
export function showNumber(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "–" : NUMBER.format(value);
}

/** A whole number, its thousands set apart. */
export function showCount(value: number): string {
  return WHOLE.format(value);
}

/** A share from 0 to 1 as per cent. */
export function showPercent(value: number | undefined): string {
  return value === undefined ? "–" : PERCENT.format(value);
}

/** A difference with its sign. */
export function showDifference(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "–" : SIGNED.format(value);
}

/** Milliseconds, from a second on as seconds. */
export function showTime(milliseconds: number): string {
  return milliseconds >= 1000 ? `${showNumber(milliseconds / 1000)} s` : `${showNumber(milliseconds)} ms`;
}
