import { Console } from "node:console";
import process from "node:process";

/**
 * Takes the standard output for the protocol: from now on, what the model's code writes there goes to the standard
 * error, whichever way it is written.
 *
 * @returns Writes bytes to the real standard output.
 */
export function takeStandardOutput(): WritableStreamDefaultWriter<Uint8Array> {
  const writer = Deno.stdout.writable.getWriter();
  // Deno's own console cannot be told to write elsewhere.
  Object.defineProperty(globalThis, "console", { value: new Console(process.stderr, process.stderr) });
  Object.defineProperty(process, "stdout", { get: () => process.stderr });
  Object.defineProperty(Deno, "stdout", { value: Deno.stderr });
  return writer;
}
