/**
 * JSON as Python writes it: a space behind `,` and `:`, and nothing but ASCII. Files of MLflow's that are compared byte
 * by byte, or by people, look the same then.
 */
export function pythonJson(value: unknown): string {
  return ascii(compact(value));
}

/** The same over several lines, two spaces deep. */
export function pythonJsonLines(value: unknown): string {
  return ascii(indented(value, "\n"));
}

function compact(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(compact).join(", ")}]`;
  if (typeof value !== "object" || value === null) return scalar(value);
  return `{${members(value).map(([key, member]) => `${JSON.stringify(key)}: ${compact(member)}`).join(", ")}}`;
}

/** What goes on several lines; `margin` is the end of a line and what stands before the closing bracket. */
function indented(value: unknown, margin: string): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  const inside = `${margin}  `;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const items = Array.isArray(value)
    ? value.map((item: unknown) => indented(item, inside))
    : members(value).map(([key, member]) => `${JSON.stringify(key)}: ${indented(member, inside)}`);
  return items.length === 0 ? open + close : `${open}${inside}${items.join(`,${inside}`)}${margin}${close}`;
}

function members(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined);
}

/** Python writes small numbers with an exponent, of two digits at least: `1e-05` for 0.00001. */
function scalar(value: unknown): string {
  if (typeof value !== "number" || value === 0 || Math.abs(value) >= 1e-4) return JSON.stringify(value);
  return value.toExponential().replace(/-(\d)$/, "-0$1");
}

function ascii(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
