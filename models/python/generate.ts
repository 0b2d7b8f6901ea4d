/**
 * Writes `models/_python_loader.ts`, which holds the loader's text: a published package cannot read its own files.
 * Run it by `deno task generate`.
 */
import { fromFileUrl } from "@std/path";

const SOURCE = new URL("./deno_chat_loader.py", import.meta.url);
const TARGET = new URL("../_python_loader.ts", import.meta.url);

/** The text that `_python_loader.ts` must have. */
export async function generated(): Promise<string> {
  const source = await Deno.readTextFile(SOURCE);
  const lines = source.split("\n").map((line) => `  ${JSON.stringify(line)},`);
  return `// Generated from python/deno_chat_loader.py by \`deno task generate\`: edit that.
// deno-fmt-ignore-file

/** What MLflow's Python imports. */
export const LOADER_SOURCE: string = [
${lines.join("\n")}
].join("\\n");
`;
}

if (import.meta.main) await Deno.writeTextFile(fromFileUrl(TARGET), await generated());
