import process from "node:process";

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
  for (const name of ["kill", "_kill", "_debugProcess", "chdir"]) fix(process, name, refuse(`process.${name}`));
  for (const name of ["kill", "chdir", "addSignalListener"]) fix(Deno, name, refuse(`Deno.${name}`));
  fix(globalThis, "Worker", refuse("Worker"));
  // What is inside of Deno: none of it is meant for programs.
  const inside: unknown = Reflect.get(Deno, "internal");
  if (typeof inside === "symbol") fix(Deno, inside, undefined);
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
