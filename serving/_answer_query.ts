/** Which kept answers belong into a list: the same for every store. */
import type { StoredAnswer, StoredAnswerQuery } from "./response_store.ts";

/** What a list has to know of an answer. */
export type AnswerHead = Pick<StoredAnswer, "object" | "created" | "model" | "metadata" | "owner">;

/** Whether an answer belongs into a list. */
export function matches(head: AnswerHead, { object, model, owner, metadata = {} }: StoredAnswerQuery): boolean {
  return head.object === object && (model === undefined || head.model === model) &&
    (owner === undefined || head.owner === owner) &&
    Object.entries(metadata).every(([key, value]) => Object.hasOwn(head.metadata, key) && head.metadata[key] === value);
}
