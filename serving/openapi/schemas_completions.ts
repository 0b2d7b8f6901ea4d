/** Named schemas of legacy completions and of embeddings. */
import * as v from "valibot";
import { embeddingRequest } from "../../types/_embedding_schema.ts";
import { list } from "../../types/_list.ts";
import { usage } from "../../types/_response_schema.ts";
import { freeForm, integer, number, oneOf, text, word } from "../../types/_schema.ts";
import { object } from "../../types/_shape.ts";
import { completionRequest } from "../completions/_request_schema.ts";

/** What requests consist of. */
export const completionRequests = {
  CompletionRequest: completionRequest,
  EmbeddingRequest: embeddingRequest,
};

const count = integer(0);
const logprobs = object({
  tokens: list(text, "tokens"),
  token_logprobs: list(number(), "numbers"),
  top_logprobs: v.exactOptional(list(v.record(v.string(), v.number()), "tokens")),
  text_offset: list(count, "offsets"),
});

const reasons = oneOf(["stop", "length", "content_filter"]);
const choice = { index: count, text, logprobs: v.nullable(logprobs) };

const head = { id: text, object: word("text_completion"), created: count, model: text };
const rest = { system_fingerprint: v.exactOptional(text), custom_outputs: v.exactOptional(freeForm) };

const embedding = object({
  object: word("embedding"),
  index: count,
  embedding: v.union([v.array(v.number()), v.string()]),
});

/** What answers consist of. */
export const completionAnswers = {
  TextCompletion: object({
    ...head,
    choices: list(object({ ...choice, finish_reason: reasons }), "choices"),
    usage: v.exactOptional(usage),
    ...rest,
  }),
  TextCompletionChunk: object({
    ...head,
    choices: list(object({ ...choice, finish_reason: v.nullable(reasons) }), "choices"),
    usage: v.exactOptional(v.nullable(usage)),
    ...rest,
  }),
  Embedding: embedding,
  EmbeddingResponse: object({
    object: word("list"),
    data: list(embedding, "vectors"),
    model: text,
    usage: object({ prompt_tokens: count, total_tokens: count }),
  }),
};
