import { fork } from "node:child_process";
import { join } from "@std/path";
import { ChatModelError } from "../../types/mod.ts";

const FLAG = "--unstable-worker-options";

let isKnown = false;

/**
 * Makes sure that Deno lets a worker have permissions of its own: without its flag it ends the whole process. Deno does
 * not say which flags it was started with, but hands them on where Node's `fork` starts another. So one is asked for
 * that cannot start. Where this process may not start any, nothing can be known, and Deno speaks for itself.
 *
 * @throws {ChatModelError} With code `start_failed` if the flag is missing.
 */
export async function checkFlag(): Promise<void> {
  if (isKnown) return;
  const flags = await unstableFlags();
  if (flags !== undefined && !flags.includes(FLAG) && !flags.includes("--unstable")) {
    throw new ChatModelError(
      `Cannot load model into a sandbox: Deno was started without ${FLAG}. ` +
        `Run with it, or write "unstable": ["worker-options"] into deno.json`,
      { code: "start_failed" },
    );
  }
  isKnown = true;
}

async function unstableFlags(): Promise<readonly string[] | undefined> {
  const run = await Deno.permissions.query({ name: "run" });
  const env = await Deno.permissions.query({ name: "env" });
  // Asking for less than is granted must not make Deno ask its user.
  if (run.state !== "granted" || env.state !== "granted") return undefined;
  const nowhere = join(import.meta.dirname ?? "/", "no-such-program");
  const child = fork("nothing.js", [], {
    execPath: nowhere,
    execArgv: [],
    env: {},
    // A descriptor that is none: it fails before a channel to the other process is made, which Deno would not close.
    stdio: ["ignore", "ignore", 2 ** 31 - 1, "ipc"],
  });
  await new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  return child.spawnargs;
}
