import { dirname, join, resolve } from "@std/path";

/** Files by which Deno learns what bare names stand for, in the order in which it looks for them. */
const CONFIGURATIONS: readonly string[] = ["deno.json", "deno.jsonc", "package.json"];

/**
 * What helps where a model's file names an import that is not known: Deno reads the `deno.json` of the program that it
 * was started with, and not that of a file which is imported later.
 *
 * @param file The model's file.
 * @param error What importing it failed with.
 * @returns The remedy; `undefined` where it failed with something else.
 */
export async function importHint(file: string, error: unknown): Promise<string | undefined> {
  if (!(error instanceof Error) || !/not a dependency|not in import map/.test(error.message)) return undefined;
  const configuration = await nearestConfiguration(dirname(resolve(file)));
  if (configuration === undefined) return "Write what it imports with npm: or jsr: before the name";
  const run = configuration.endsWith("package.json") ? "Run in its folder" : `Run with --config "${configuration}"`;
  return `"${configuration}" is not read for a file that was not logged. ${run}, or log the model, which takes along what it imports`;
}

async function nearestConfiguration(folder: string): Promise<string | undefined> {
  for (const name of CONFIGURATIONS) {
    try {
      if ((await Deno.stat(join(folder, name))).isFile) return join(folder, name);
    } catch {
      // Not there, or not to be seen: what is told is a hint only.
    }
  }
  return dirname(folder) === folder ? undefined : await nearestConfiguration(dirname(folder));
}
