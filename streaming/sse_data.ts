/** Longest line of a stream in bytes: clients with line buffers of 64 KiB or 128 KiB exist. */
export const MAX_LINE = 65_536;

const encoder = new TextEncoder();

/** Whether a line is longer than {@linkcode MAX_LINE}. */
export function isTooLong(line: string): boolean {
  return line.length > MAX_LINE || (line.length * 3 > MAX_LINE && encoder.encode(line).length > MAX_LINE);
}

/**
 * Writes a value that does not fit one line over several, which the event stream format joins again. Every client with a
 * real parser reads them; those with a line buffer at least do not break. A single long value stays in one line.
 */
export function severalLines(value: object): string[] {
  return JSON.stringify(value, null, 1).split("\n").map((line) => `data: ${line}`);
}
