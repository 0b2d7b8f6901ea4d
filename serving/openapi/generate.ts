/**
 * Writes `serving/_openapi_document.ts`, which holds the document as text: what it is made with is needed in
 * development only, and a published package cannot read its own files.
 *
 * Run it by `deno task generate`. With `--check` it writes nothing, and fails if the module is out of date.
 */
import { makeDocument } from "./document.ts";

const TARGET = new URL("../_openapi_document.ts", import.meta.url);

/** The text that `_openapi_document.ts` must have. */
export function generated(): string {
  return `// Generated from openapi/ by \`deno task generate\`: edit that.
// deno-fmt-ignore-file

/** What the server takes and gives: an OpenAPI 3.1 document in JSON. */
export const OPENAPI_DOCUMENT: string = ${quote(JSON.stringify(makeDocument()))};
`;
}

/** In single quotes, as JSON is full of the others. */
function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}

if (import.meta.main) {
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(TARGET, generated());
  else if (await Deno.readTextFile(TARGET) !== generated()) {
    // deno-lint-ignore no-console -- a command talks to its user
    console.error("error: serving/_openapi_document.ts is out of date. Run deno task generate");
    Deno.exit(1);
  }
}
