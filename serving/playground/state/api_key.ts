/** The key that is sent along, if the server asks for one. Kept in this tab only, apart from all else. */
import { keep, readKept } from "./storage.ts";
import { Store } from "./store.ts";

const KEY = "chat-model-api-key";

/** The key; empty if there is none. */
export const apiKey: Store<string> = new Store(readKept("session", KEY) ?? "");

apiKey.subscribe(() => keep("session", KEY, apiKey.value || undefined));
