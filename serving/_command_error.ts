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

/** What an author's file failed with, in one line, and where: the stack is not shown. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What follows the first line is the code, as Deno shows it.
  const [line = ""] = error.message.split("\n", 1);
  const [place] = /file:\/\/[^\s()]+:\d+:\d+/.exec(`${error.message}\n${error.stack}`) ?? [];
  const reason = line.replace(/\.$/, "");
  return place === undefined || reason.includes(place) ? reason : `${reason} (at ${place})`;
}
