/**
 * JSON as Python writes it: a space behind `,` and `:`, and nothing but ASCII. Files of MLflow's that are compared byte
 * by byte, or by people, look the same then.
 */
export function pythonJson(value: unknown): string {
  return ascii(compact(value));
}

/** The same over several lines, two spaces deep. */
export function pythonJsonLines(value: unknown): string {
  return ascii(JSON.stringify(value, null, 2));
}

function compact(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(compact).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${compact(member)}`).join(", ")}}`;
}

function ascii(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
