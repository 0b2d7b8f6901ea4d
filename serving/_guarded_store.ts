/** A store whose failures are told as what they are. */
import { ChatModelError } from "../types/mod.ts";
import type { ResponseStore } from "./response_store.ts";

/**
 * Guards a store of any kind: what it throws would else be taken for a failure of the model.
 *
 * @param store The store.
 * @returns The same store, but it fails with a {@linkcode ChatModelError} of code `store_error`.
 */
export function guardStore(store: ResponseStore): ResponseStore {
  return {
    get: (id) => guard("read a kept answer", () => store.get(id)),
    set: (answer) => guard("keep the answer", () => store.set(answer)),
    delete: (id) => guard("forget a kept answer", () => store.delete(id)),
    list: (query) => guard("list kept answers", () => store.list(query)),
  };
}

function guard<T>(action: string, run: () => T | Promise<T>): T | Promise<T> {
  const fail = (cause: unknown): never => {
    if (ChatModelError.isInstance(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ChatModelError(`Cannot ${action}: the store failed: ${reason}`, { code: "store_error", cause });
  };
  try {
    const result = run();
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
}
