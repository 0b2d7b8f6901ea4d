import { fromFileUrl } from "@std/path";
import { decodeNdjson } from "../streaming/mod.ts";
import type { StdioModel } from "./_stdio_model.ts";
import { StdioSession } from "./_stdio_session.ts";
import { takeStandardOutput } from "./_own_output.ts";
import { loadStdioModel } from "./_load_stdio_model.ts";

/** Precedes each line, as in RFC 7464: so it is told from what gets to the standard output past all precautions. */
const MARK = "\x1e";

/** Milliseconds that calls have to end in when nobody waits for them any more. */
const CLOSE_TIMEOUT = 1_000;

/**
 * Runs a logged model for MLflow's Python: speaks with `code/deno_chat_loader.py` over stdin and stdout, and ends the
 * process when stdin ends. What the model writes to its console goes to stderr.
 *
 * @param folder The model's folder: a path, or an address of scheme `file:`.
 * @returns Never: the process ends.
 */
export async function serveStdio(folder: string | URL): Promise<never> {
  const path = folder instanceof URL || folder.startsWith("file:") ? fromFileUrl(folder) : folder;
  return await runStdio((modelConfig) => loadStdioModel(path, modelConfig));
}

/** As {@linkcode serveStdio}, with any model. */
export async function runStdio(
  load: (modelConfig: { readonly [name: string]: unknown }) => Promise<StdioModel>,
): Promise<never> {
  const writer = takeStandardOutput();
  const encoder = new TextEncoder();
  const session = new StdioSession({
    load,
    write: async (text) => {
      try {
        await writer.write(encoder.encode(`${MARK}${text}\n`));
      } catch {
        Deno.exit(1); // Nobody reads any more.
      }
    },
    log: (text) => {
      Deno.stderr.writeSync(encoder.encode(`${text}\n`));
    },
  });
  let first = true;
  // Its reader sets the limits.
  for await (const lines of decodeNdjson(Deno.stdin.readable, { maxLineLength: Infinity })) {
    for (const line of lines) {
      if (first) {
        // Not awaited, so that the end of stdin is seen also while a model loads.
        session.load(line).then((loaded) => loaded || Deno.exit(1));
        first = false;
      } else {
        session.take(line);
      }
    }
  }
  await Promise.race([session.close(), new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT))]);
  Deno.exit(session.failed ? 1 : 0);
}
