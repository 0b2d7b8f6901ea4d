/** What a response is asked with: what was said before it, and its input. */
import * as v from "valibot";
import { ENOUGH_ISSUES } from "../../types/_list.ts";
import { ChatModelError, type ValidationIssue } from "../../types/mod.ts";
import type { ResponseStore, StoredAnswer, StoredObject } from "../response_store.ts";
import { inputItemId, responseIdOf } from "./_item_ids.ts";
import { type GivenItem, type Item, items as itemsSchema } from "./_item_schema.ts";
import type { ResponseRequest } from "./_parse_request.ts";
import { invalid } from "./_to_chat_request.ts";

/**
 * Puts together all items that a response is asked with: those of the previous response, then the input's, references
 * resolved.
 *
 * @throws {ChatModelError} If the previous response or an item that is referred to is not kept.
 * @throws {ValidationError} If a tool's output answers no call, a call has no output, or an item comes twice.
 */
export async function gatherItems(request: ResponseRequest, store: ResponseStore): Promise<Item[]> {
  const { input, previous_response_id: previousId } = request;
  const before = previousId === undefined ? [] : itemsOf(await getPrevious(previousId, store));
  const given: readonly GivenItem[] = typeof input === "string" ? [{ role: "user", content: input }] : input ?? [];
  const own: Item[] = [];
  for (const [i, item] of given.entries()) {
    own.push(isItem(item) ? item : await findItem(item.id, store, `input.${i}.id`));
  }
  const items = [...before, ...own];
  const faults = findFaults(before, own);
  const pending = findPendingCalls(items);
  if (faults.length > 0) throw invalid([...faults, ...pending]);
  if (pending.length > 0) throw invalid(pending, { code: "tool_output_not_found" });
  return items;
}

/** The items of an answer: what it was asked with, and what it gave. */
function itemsOf({ body, input }: StoredAnswer): Item[] {
  const output = Array.isArray(body["output"]) ? body["output"] : [];
  // Checked again, as a store may be of any kind, and hold what an older version of this package wrote.
  const result = v.safeParse(itemsSchema, [...input, ...output]);
  if (result.success && result.output.every(isItem)) return result.output;
  throw new ChatModelError("Cannot read a kept response: its items are not as they were written", {
    code: "invalid_stored_response",
  });
}

async function getPrevious(id: string, store: ResponseStore): Promise<StoredAnswer> {
  const answer = await store.get(id);
  if (answer?.object === "response") return answer;
  throw new ChatModelError(
    `Cannot find previous response "${id}": it was never kept ("store": false), or is kept no more. Send the conversation as "input"`,
    { code: "previous_response_not_found", param: "previous_response_id" },
  );
}

/** Finds an item of a response that is kept. */
async function findItem(id: string, store: ResponseStore, param: string): Promise<Item> {
  const responseId = responseIdOf(id);
  const answer = responseId === undefined ? undefined : await store.get(responseId);
  const item = answer?.object === "response" ? itemsOf(answer).find((item) => item.id === id) : undefined;
  if (item !== undefined) return item;
  throw new ChatModelError(
    `Cannot find item "${id}": its response was never kept ("store": false), or is kept no more. Send the item itself`,
    { code: "item_not_found", param },
  );
}

/** Whether an item says something itself, and is no reference to one that does. */
function isItem(item: GivenItem): item is Item {
  return "role" in item || (item.type !== undefined && item.type !== "item_reference");
}

/** What is wrong with items together: a tool's output must answer a call before it, and no item may come twice. */
function findFaults(before: readonly Item[], own: readonly Item[]): ValidationIssue[] {
  const calls = new Set<string>();
  const ids = new Set<string>();
  const note = (item: Item) => {
    if (item.id) ids.add(item.id);
    if (item.type === "function_call" || item.type === "custom_tool_call") calls.add(item.call_id);
  };
  before.forEach(note);
  const issues: ValidationIssue[] = [];
  own.forEach((item, i) => {
    if (item.id && ids.has(item.id)) {
      issues.push({
        path: `input.${i}.id`,
        message: 'Expected an item that is not there yet, in "input" or in the previous response, found one that is',
      });
    }
    note(item);
    if (item.type !== "function_call_output" && item.type !== "custom_tool_call_output") return;
    if (calls.has(item.call_id)) return;
    issues.push({
      path: `input.${i}.call_id`,
      message: 'Expected the id of a call that comes before it, in "input" or in the previous response, found another',
    });
  });
  return issues;
}

/** Longest id of a call that is quoted in a message. */
const QUOTED_LENGTH = 64;

/**
 * What is wrong with calls that no output answers. OpenAI refuses them, too, wherever they stand, and those of the
 * previous response as well; as here, `input` is the field at fault.
 */
function findPendingCalls(items: readonly Item[]): ValidationIssue[] {
  const pending = new Map<string, string>();
  for (const item of items) {
    if (item.type === "function_call" || item.type === "custom_tool_call") pending.set(item.call_id, item.type);
    else if (item.type === "function_call_output" || item.type === "custom_tool_call_output") {
      pending.delete(item.call_id);
    }
  }
  return [...pending].slice(0, ENOUGH_ISSUES).map(([id, type]) => ({
    path: "input",
    message: `Expected an item of type "${type}_output" for the call ${
      id.length <= QUOTED_LENGTH ? JSON.stringify(id) : `whose id has ${id.length} characters`
    }, found no tool output`,
  }));
}

/**
 * Items as they are kept and listed: each with an id, contents as parts.
 *
 * @param items The items.
 * @param responseId The response that was asked with them.
 */
export function toStoredItems(items: readonly Item[], responseId: string): StoredObject[] {
  return items.map((item, i) => toStoredItem(item, inputItemId(responseId, item.type ?? "message", i)));
}

function toStoredItem(item: Item, newId: string): StoredObject {
  const id = item.id || newId;
  const status = item["status"] ?? "completed";
  switch (item.type) {
    case "function_call":
    case "function_call_output":
    case "custom_tool_call":
    case "custom_tool_call_output":
      return { ...item, id, status };
    case "reasoning":
      return { ...item, id, summary: item.summary ?? [] };
    default:
      return { ...item, id, type: "message", status, content: toParts(item) };
  }
}

function toParts({ role, content }: Extract<Item, { readonly role: string }>): StoredObject[] {
  if (role !== "assistant") {
    if (typeof content === "string") return [{ type: "input_text", text: content }];
    return content.map((part) => part.type === "input_image" ? { ...part, detail: part.detail ?? "auto" } : part);
  }
  if (typeof content === "string") return [{ type: "output_text", text: content, annotations: [], logprobs: [] }];
  return content.map((part) =>
    part.type === "refusal" ? part : { annotations: [], logprobs: [], ...part, type: "output_text" }
  );
}
