/**
 * Ids of items. An item's id tells which response it belongs to, so that a reference to an item is found without an
 * index of all items.
 */

/** Length of what follows `resp_` in the id of a response. */
const LENGTH = 24;

const ITEM_ID_REGEXP = new RegExp(`^[a-z]+_([\\w-]{${LENGTH}})i?\\d+$`);

/** Kinds of items as their ids begin. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  ["reasoning", "rs"],
  ["function_call", "fc"],
  ["function_call_output", "fco"],
  ["custom_tool_call", "ctc"],
  ["custom_tool_call_output", "ctco"],
]);

/**
 * Id of an item that a response gave.
 *
 * @param responseId The response.
 * @param type The item's type.
 * @param position Where it stands in the output.
 */
export function outputItemId(responseId: string, type: string, position: number): string {
  return `${PREFIXES.get(type) ?? "msg"}_${responseId.slice(-LENGTH)}${position}`;
}

/** Id of an item that a response was asked with, and that came without one. */
export function inputItemId(responseId: string, type: string, position: number): string {
  return `${PREFIXES.get(type) ?? "msg"}_${responseId.slice(-LENGTH)}i${position}`;
}

/** Id of the response that an item belongs to; `undefined` if it is no id of ours. */
export function responseIdOf(itemId: string): string | undefined {
  const [, part] = ITEM_ID_REGEXP.exec(itemId) ?? [];
  return part === undefined ? undefined : `resp_${part}`;
}
