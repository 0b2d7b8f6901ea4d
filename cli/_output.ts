/** Prints a line for people or programs to standard output. */
export function print(text: string): void {
  // deno-lint-ignore no-console -- a command talks to its user
  console.log(text);
}

/** Prints a value as JSON, on one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Tells something aside, so that the result can be piped on. */
export function tell(text: string): void {
  // deno-lint-ignore no-console -- a command talks to its user
  console.error(text);
}

/** Rows of text in columns, under a heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd();
  return [heading.map((title) => title.toUpperCase()), ...rows].map(line).join("\n");
}

/** A time of MLflow's, in ms since 1970, as people read it. */
export function formatTime(time: number | undefined): string {
  return time === undefined ? "" : new Date(time).toISOString().replace("T", " ").slice(0, 19);
}
