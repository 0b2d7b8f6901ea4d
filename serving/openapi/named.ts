/** Finding schemas that are parts of others. */
import type * as v from "valibot";
import { branchesOf, literalsOf, type ObjectSchema, unwrap } from "./branches.ts";

/**
 * The object among those that a schema takes which has these words.
 *
 * @param schema The schema.
 * @param words Words by member; none for the only object.
 * @throws {Error} If there is none.
 */
export function optionOf(schema: v.GenericSchema, words: Readonly<Record<string, string>>): ObjectSchema {
  const { array, objects } = branchesOf(schema);
  const inItems = array !== undefined && "item" in array && isLazy(array.item) ? branchesOf(array.item).objects : [];
  const found = [...objects, ...inItems].find((object) => {
    const literals = literalsOf(object);
    return Object.entries(words).every(([name, word]) => literals[name] === word);
  });
  if (found === undefined) throw new Error(`Cannot find an option with ${JSON.stringify(words)}`);
  return found;
}

/** The schema of a member, be it optional or not. */
export function entryOf({ entries }: ObjectSchema, name: string): v.GenericSchema {
  const entry = entries[name];
  if (entry === undefined) throw new Error(`Cannot find a member "${name}"`);
  return entry.type === "exact_optional" ? unwrap(entry) : entry;
}

function isLazy(schema: unknown): schema is v.GenericSchema {
  return typeof schema === "object" && schema !== null && "getter" in schema;
}
