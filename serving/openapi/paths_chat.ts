/** Chat Completions. */
import { BODY_ERRORS, MODEL_ERRORS, STORE_ERRORS } from "./errors.ts";
import { ref } from "./json.ts";
import { type Operation, streamableAnswer } from "./operation.ts";

/** What a stream of chat is. */
export const CHAT_EVENTS = {
  description:
    "An event, if the request has `stream: true`: frames `data: …`, each with a `ChatCompletionChunk` as JSON, the " +
    "last with `[DONE]`. A failure after the first frame comes as a frame with an `ErrorResponse`, and no `[DONE]` " +
    "after it. A very long frame has its JSON in several `data` lines.",
  schema: { anyOf: [ref("ChatCompletionChunk"), ref("ErrorResponse")] },
  hasDone: true,
};

/** Operations by path and method. */
export const chatPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/v1/chat/completions": {
    post: {
      id: "createChatCompletion",
      tag: "Chat",
      summary: "Has a model answer a conversation",
      description:
        "The body is read as JSON whatever its content type says, and may be packed with `gzip`, `deflate` " +
        "or `br` or the like, as `content-encoding` says. Without `model`, the first one answers.",
      body: ref("ChatCompletionRequest"),
      answers: {
        200: streamableAnswer("The answer.", ref("ChatCompletionResponse"), CHAT_EVENTS),
      },
      errors: [...BODY_ERRORS, ...MODEL_ERRORS, ...STORE_ERRORS],
      hasModel: true,
    },
  },
};
