/** Named schemas of chat completions that are kept. */
import * as v from "valibot";
import { chatCompletionResponse } from "../../types/_response_schema.ts";
import { flag, text, word } from "../../types/_schema.ts";
import { list } from "../../types/_list.ts";
import { object } from "../../types/_shape.ts";
import { metadata } from "./known.ts";
import { optionOf } from "./named.ts";

/** What requests consist of. */
export const storedRequests = {
  ChatCompletionUpdate: v.strictObject({ metadata: v.nullable(metadata) }),
  Metadata: metadata,
};

const stored = object({ ...optionOf(chatCompletionResponse, {}).entries, metadata: v.record(v.string(), v.string()) });

const page = { object: word("list"), first_id: text, last_id: text, has_more: flag };

/** What answers consist of. */
export const storedAnswers = {
  StoredChatCompletion: stored,
  StoredChatCompletionList: object({ ...page, data: list(stored, "chat completions") }),
  StoredMessageList: object({ ...page, data: list(object({ id: text, role: text }), "messages") }),
  DeletedChatCompletion: object({ id: text, object: word("chat.completion.deleted"), deleted: v.literal(true) }),
};
