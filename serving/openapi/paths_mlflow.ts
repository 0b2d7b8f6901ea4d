/** What MLflow's clients know: its scoring server. */
import { BODY_ERRORS, MODEL_ERRORS } from "./errors.ts";
import { type Json, ref } from "./json.ts";
import { answer, type Operation, streamableAnswer } from "./operation.ts";
import { CHAT_EVENTS } from "./paths_chat.ts";

/** As MLflow, which calls these lines JSON. */
function line(description: string): Json {
  return answer(description, { "application/json": {} });
}

/** Operations by path and method. */
export const mlflowPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/invocations": {
    post: {
      id: "invoke",
      tag: "MLflow",
      summary: "Has a model answer",
      description: "As `mlflow models serve` has it. A chat model takes a chat request, bare or in one of MLflow's " +
        "wrappers; a custom model what its signature says. Which model is asked, `model` says, beside a wrapper or " +
        "within; else it is the first. The content type must be `application/json`.",
      body: ref("InvocationRequest"),
      answers: {
        200: streamableAnswer(
          "The answer: that of a chat model as in Chat Completions, that of a custom model as it is; under " +
            "`predictions` if the input was in a wrapper.",
          ref("InvocationResponse"),
          CHAT_EVENTS,
        ),
      },
      errors: [...BODY_ERRORS, "unsupported_media_type", "invalid_input", ...MODEL_ERRORS],
      isMlflow: true,
      hasModel: true,
    },
  },
  "/ping": {
    get: {
      isPublic: true,
      id: "ping",
      tag: "MLflow",
      summary: "Tells that the server is there",
      description: "The body is an empty line, which MLflow sends under the content type of JSON.",
      answers: { 200: line("The server is there.") },
      errors: [],
    },
  },
  "/health": {
    get: {
      isPublic: true,
      id: "health",
      tag: "MLflow",
      summary: "Tells that the server is there",
      description: "As `/ping`.",
      answers: { 200: line("The server is there.") },
      errors: [],
    },
  },
  "/version": {
    get: {
      isPublic: true,
      id: "version",
      tag: "MLflow",
      summary: "Tells the version of this package",
      description: "Bare text, which MLflow sends under the content type of JSON.",
      answers: { 200: line("The version.") },
      errors: [],
    },
  },
};
