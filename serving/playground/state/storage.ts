/** The browser's storage, which may be full, or forbidden by the browser's settings: the page works without it. */

/** Which storage: the tab's or the browser's. */
export type Keeper = "session" | "local";

/** What is kept under a name; `undefined` if nothing is, or nothing may be. */
export function readKept(keeper: Keeper, key: string): string | undefined {
  try {
    return storage(keeper).getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a text under a name, or forgets it; whether that was possible. */
export function keep(keeper: Keeper, key: string, text: string | undefined): boolean {
  try {
    if (text === undefined) storage(keeper).removeItem(key);
    else storage(keeper).setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

function storage(keeper: Keeper): Storage {
  return keeper === "session" ? sessionStorage : localStorage;
}
