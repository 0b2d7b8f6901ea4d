/** How much of a long text is shown, in characters. */
const MAX_LENGTH = 160;

/**
 * A text on one line, cut where it is long. What could steer the terminal is shown as it is written in JSON: traces hold
 * what anyone has sent.
 *
 * @param text The text.
 * @param length Most characters. @default {160}
 * @returns The line.
 */
export function oneLine(text: string, length: number = MAX_LENGTH): string {
  const line = text.replaceAll(/\s+/g, " ").trim().replaceAll(
    // deno-lint-ignore no-control-regex -- they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  if (line.length <= length) return line;
  // By characters: half of a pair would be no text.
  const characters = Array.from(line.slice(0, 2 * length + 2));
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join("")}…`;
}

/** A duration as people read it, of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms >= 60_000) return `${Math.floor(ms / 60_000)} min ${Math.round(ms % 60_000 / 1000)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms >= 1) return `${Math.round(ms)} ms`;
  return `${Math.round(ms * 1000)} µs`;
}
