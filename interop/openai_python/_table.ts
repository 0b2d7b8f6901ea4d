/** What each check found, by its name: why it failed, or `undefined`. */
export type Results = ReadonlyMap<string, string | undefined>;

/** What stands for an Ollama answers so to a request that none was recorded with. */
export const NOT_RECORDED = "Not recorded";

/** Reads what `openai_checks.py` told. */
export function readResults(stdout: string): Results {
  const results = new Map<string, string | undefined>();
  for (const line of stdout.split("\n")) {
    const [, passed] = /^ok (.*)$/.exec(line) ?? [];
    if (passed !== undefined) results.set(passed, undefined);
    const [, failed, reason] = /^not ok (.*?): (.*)$/.exec(line) ?? [];
    if (failed !== undefined) results.set(failed, reason);
  }
  return results;
}

/** One column of the table: it passes a check where all of its results do. */
export interface Column {
  readonly title: string;
  readonly results: readonly Results[];
}

/**
 * Writes the table of what was found, in Markdown that is not aligned.
 *
 * @throws {Error} If the columns are not of the same checks.
 */
export function tableOf(columns: readonly Column[]): string {
  const names = [...columns[0]?.results[0]?.keys() ?? []];
  for (const results of columns.flatMap(({ results }) => results)) {
    if ([...results.keys()].join() !== names.join()) throw new Error("Cannot compare servers: their checks differ");
  }
  const rows = names.map((name) => [name, ...columns.map(({ results }) => cellOf(results.map((of) => of.get(name))))]);
  const sums = columns.map((_, i) => `${rows.filter((row) => row[i + 1] === "✓").length} of ${rows.length}`);
  return [["check", ...columns.map(({ title }) => title)], columns.map(() => ":---:"), ...rows, ["passed", ...sums]]
    .map((cells, i) => `| ${(i === 1 ? ["---", ...cells] : cells).join(" | ")} |`).join("\n");
}

function cellOf(failures: readonly (string | undefined)[]): string {
  if (failures.every((failure) => failure === undefined)) return "✓";
  return failures.some((failure) => failure?.includes(NOT_RECORDED)) ? "not recorded" : "✗";
}
