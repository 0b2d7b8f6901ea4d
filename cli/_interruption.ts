import { tell } from "./_output.ts";

/** Signals that ask a program to end, and what it exits with then: 128 and the signal's number, as shells have it. */
const SIGNALS: readonly (readonly [signal: Deno.Signal, exitCode: number])[] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGTERM", 143]];

/** Milliseconds after which someone who waits for an end is told how not to. */
const PATIENCE = 2_000;

/** Someone ended the command. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** What the process exits with. */
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("Interrupted");
    this.exitCode = exitCode;
  }
}

/**
 * Does something that may be interrupted: Ctrl-C and SIGTERM abort the signal, and it has time to leave everything in
 * order. The second time, the process ends at once.
 *
 * @param action What to do. What it throws once it is interrupted counts as the interruption.
 * @returns What it gives.
 * @throws {Interrupted} If it is interrupted before it has come to its end.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const listeners = SIGNALS.map(([name, exitCode]) => {
    const onSignal = () => {
      if (signal.aborted) Deno.exit(exitCode);
      waiting = setTimeout(() => tell("Interrupted: leaving everything in order. Once more ends it at once"), PATIENCE);
      controller.abort(new Interrupted(exitCode));
    };
    Deno.addSignalListener(name, onSignal);
    return { name, onSignal };
  });
  try {
    return await action(signal);
  } catch (error) {
    // What fails since, such as a program that it started and that was interrupted too, is of no interest.
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(waiting);
    for (const { name, onSignal } of listeners) Deno.removeSignalListener(name, onSignal);
  }
}
