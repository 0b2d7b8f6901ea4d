/** Says what is wrong with a text that is no JSON, and where. */
export function describeJsonError(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    // Browsers word it differently; the place, where it is told, is what helps.
    if (position === undefined) return `Is not JSON: ${message}`;
    const before = text.slice(0, Number(position)).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    const [reason = message] = message.split(/ (?:in JSON )?at position/);
    return `Is not JSON: ${reason}, at line ${before.length}, column ${column}`;
  }
}
