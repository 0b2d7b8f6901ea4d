import { parseArgs } from "node:util";

const HELP = `Checks this package against genuine MLflow, and OpenAI's client for Python.

Usage: deno task interop [--only NAME]...

  --only NAME  Do no more than the parts whose name begins so; may be given several times
  --help       Tell this

Parts:
`;

/** What the command line says: the names of the parts to do, or what to tell instead of that. */
export type Options = { readonly names: readonly string[] } | { readonly text: string; readonly isError: boolean };

/** Reads the command line. */
export function readOptions(args: readonly string[], names: readonly string[]): Options {
  const help = HELP + names.map((name) => `  ${name}\n`).join("");
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { only: { type: "string", multiple: true }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) return { text: help, isError: false };
    const { only } = values;
    const unknown = only?.find((start) => !names.some((name) => name.startsWith(start)));
    if (unknown !== undefined) {
      return { text: `Cannot run "${unknown}": there is no such part\n\n${help}`, isError: true };
    }
    return { names: names.filter((name) => only?.some((start) => name.startsWith(start)) ?? true) };
  } catch (error) {
    return { text: `${error instanceof Error ? error.message : error}\n\n${help}`, isError: true };
  }
}
