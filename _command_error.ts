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
