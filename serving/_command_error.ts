import { ChatModelError } from "../types/mod.ts";

/** Something the person at the command line can mend: shown as one line, without a stack. */
export class CommandError extends Error {
  override name = "CommandError";
  /** Exit code: 2 for wrong usage, 1 for anything else. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The author's own files are of interest, not those that load them. */
const HERE = new URL(".", import.meta.url).href;

/** What an author's file failed with, in one line, and where: the stack is not shown. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Ours: it says by itself what is wrong, and no line of the author's is to blame.
  if (ChatModelError.isInstance(error)) return error.message;
  // What follows the first line is the code, as Deno shows it.
  const [line = ""] = error.message.split("\n", 1);
  const places = `${error.message}\n${error.stack}`.match(/file:\/\/[^\s()]+:\d+:\d+/g) ?? [];
  const place = places.find((place) => !place.startsWith(HERE));
  const reason = line.replace(/\.$/, "");
  return place === undefined || reason.includes(place) ? reason : `${reason} (at ${place})`;
}
