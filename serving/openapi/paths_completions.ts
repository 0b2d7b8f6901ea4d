/** Legacy completions and embeddings. */
import { BODY_ERRORS, MODEL_ERRORS } from "./errors.ts";
import { ref } from "./json.ts";
import { jsonAnswer, type Operation, streamableAnswer } from "./operation.ts";

/** Operations by path and method. */
export const completionPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/v1/completions": {
    post: {
      id: "createCompletion",
      tag: "Completions",
      summary: "Has a chat model answer prompts",
      description: "Each prompt is a conversation of one message. Several are answered side by side.",
      body: ref("CompletionRequest"),
      answers: {
        200: streamableAnswer("The answers.", ref("TextCompletion"), {
          description:
            "An event, if the request has `stream: true`: frames `data: …`, each with a `TextCompletionChunk` as " +
            "JSON, the last with `[DONE]`. A failure after the first frame comes as a frame with an `ErrorResponse`, " +
            "and no `[DONE]` after it.",
          schema: { anyOf: [ref("TextCompletionChunk"), ref("ErrorResponse")] },
          hasDone: true,
        }),
      },
      errors: [...BODY_ERRORS, ...MODEL_ERRORS],
      hasModel: true,
    },
  },
  "/v1/embeddings": {
    post: {
      id: "createEmbedding",
      tag: "Embeddings",
      summary: "Has a model make vectors of texts",
      description: "Only of models that can.",
      body: ref("EmbeddingRequest"),
      answers: { 200: jsonAnswer("The vectors.", ref("EmbeddingResponse")) },
      errors: [...BODY_ERRORS, ...MODEL_ERRORS],
      hasModel: true,
    },
  },
};
