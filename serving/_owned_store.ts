/** What of a store belongs to one API key. */
import type { ResponseStore, StoredAnswer } from "./response_store.ts";

/**
 * The part of a store that belongs to an owner: what it keeps is marked with its name, what others keep is not there.
 *
 * @param store The store of all.
 * @param owner Name of the API key.
 * @returns A store that only this owner's answers are in.
 */
export function ownedStore(store: ResponseStore, owner: string): ResponseStore {
  const own = (answer: StoredAnswer | undefined) => answer?.owner === owner ? answer : undefined;
  const get = (id: string) => {
    const found = store.get(id);
    return found instanceof Promise ? found.then(own) : own(found);
  };
  return {
    get,
    set: (answer) => store.set({ ...answer, owner }),
    async delete(id) {
      return await get(id) !== undefined && await store.delete(id);
    },
    list: (query) => store.list({ ...query, owner }),
  };
}
