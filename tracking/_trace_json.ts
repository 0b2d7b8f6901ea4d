/**
 * JSON as Python writes it, with a space after each comma and colon: MLflow compares some of it as text.
 *
 * @param value A value of JSON.
 * @returns The text; `undefined` for what JSON has nothing for.
 */
export function dumpJson(value: unknown): string | undefined {
  // No raw line break can stand in a text of JSON: all that there are come from the indentation.
  return JSON.stringify(value, null, 1)?.replace(/,\n */g, ", ").replace(/\n */g, "");
}

/** The same in ASCII, as Python does by default. */
export function dumpAsciiJson(value: unknown): string | undefined {
  return dumpJson(value)?.replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The value of a text of JSON; `undefined` if it is none. */
export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Parses what holds spans: times in ns, too large to be exact as numbers, become text. */
export function parseWithTimes(text: string): unknown {
  return JSON.parse(text.replace(/(?<!\\)"((?:start_|end_)?time_unix_nano)":\s*(\d{15,})/g, '"$1":"$2"'));
}

/** Whether a value is an object, and no list. */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
