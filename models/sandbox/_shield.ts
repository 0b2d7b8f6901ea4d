import { Console } from "node:console";
import { closeSync } from "node:fs";
import process from "node:process";
import { Worker as NodeWorker } from "node:worker_threads";

/** What changes all of a process, or reaches into Deno, though no permission is asked for it. */
const PROCESS = [
  ...["kill", "_kill", "_debugProcess", "chdir", "umask", "binding", "_linkedBinding", "dlopen"],
  ...["setuid", "setgid", "seteuid", "setegid", "setgroups", "initgroups"],
];

/** What of the console writes to standard output, or keeps what does: counts, times and depth of groups. */
const PRINTING = [
  ...["log", "info", "debug", "dir", "dirxml", "table"] as const,
  ...["count", "countReset", "time", "timeLog", "timeEnd", "group", "groupCollapsed", "groupEnd"] as const,
];

/**
 * Takes from a worker what reaches past it whatever its permissions are: Deno lets any code send signals to its own
 * process, change its directory and listen to its signals, and does not end a worker's own workers with it.
 *
 * @param closing Told before the worker ends itself, as its host would not learn of it.
 */
export function shield(closing: (how: string) => void): void {
  const close = globalThis.close.bind(globalThis);
  const end = (how: string) => (): never => {
    closing(how);
    close();
    // Those who end a process do not come back.
    throw new Error(`The model ended its sandbox by ${how}`);
  };
  fix(globalThis, "close", end("self.close()"));
  fix(Deno, "exit", end("Deno.exit()"));
  fix(process, "exit", end("process.exit()"));
  fix(process, "reallyExit", end("process.exit()"));
  for (const name of PROCESS) if (Reflect.has(process, name)) fix(process, name, refuse(`process.${name}`));
  for (const name of ["kill", "chdir", "umask", "addSignalListener"]) fix(Deno, name, refuse(`Deno.${name}`));
  fix(globalThis, "Worker", refuse("Worker"));
  disarm(NodeWorker, "node:worker_threads' Worker");
  shieldOutput();
  // What is inside of Deno: none of it is meant for programs.
  const inside: unknown = Reflect.get(Deno, "internal");
  if (typeof inside === "symbol") fix(Deno, inside, undefined);
}

/**
 * Makes a class that nothing can be made of, however one gets hold of it: what an import gives cannot be replaced, but a
 * constructor asks for its parent each time, and once frozen keeps the one that it was given last.
 */
function disarm(constructor: object, name: string): void {
  const isDisarmed = Reflect.setPrototypeOf(constructor, refuse(name)) && Reflect.preventExtensions(constructor);
  if (!isDisarmed) throw new TypeError(`Cannot keep models from using ${name}`);
}

/** What a model prints goes where logs go: standard output is the server's own, and so is its input. */
function shieldOutput(): void {
  // The worker's own handles on them; Node's and Deno's may be one and the same.
  for (const descriptor of [0, 1]) closeSync(descriptor);
  closeIfOpen(Deno.stdin);
  closeIfOpen(Deno.stdout);
  fix(Deno, "stdout", Deno.stderr);
  fix(process, "stdout", process.stderr);
  const printer = new Console({ stdout: process.stderr, stderr: process.stderr });
  for (const name of PRINTING) Reflect.set(console, name, printer[name].bind(printer));
}

function closeIfOpen(stream: { close(): void }): void {
  try {
    stream.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function fix(target: object, name: string | symbol, value: unknown): void {
  Reflect.defineProperty(target, name, { value, writable: false, configurable: false, enumerable: true });
}

function refuse(name: string): () => never {
  // A function, as some are called with "new".
  return function refused(): never {
    throw new Deno.errors.NotCapable(`${name} is not for models in a sandbox`);
  };
}
