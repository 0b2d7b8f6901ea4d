/** The Responses API. */
import { BODY_ERRORS, MODEL_ERRORS, STORE_ERRORS } from "./errors.ts";
import { ref } from "./json.ts";
import {
  idParameter,
  jsonAnswer,
  type Operation,
  pageParameters,
  queryParameter,
  streamableAnswer,
} from "./operation.ts";

const ID = idParameter("id", "Id of the response.");

/** Operations by path and method. */
export const responsePaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/v1/responses": {
    post: {
      id: "createResponse",
      tag: "Responses",
      summary: "Has a model respond",
      description: "The answer is kept, unless `store` is `false`, so that `previous_response_id` can go on from it; " +
        "how long, is the server's affair.",
      body: ref("ResponseRequest"),
      answers: {
        200: streamableAnswer("The response.", ref("Response"), {
          description: "An event, if the request has `stream: true`: OpenAI's, as `event: …`, `data: …`, each a " +
            "`ResponseEvent` as JSON. The last one is `response.completed`, `response.incomplete` or `response.failed`.",
          schema: ref("ResponseEvent"),
        }),
      },
      errors: [
        ...BODY_ERRORS,
        ...MODEL_ERRORS,
        "previous_response_not_found",
        "item_not_found",
        "tool_output_not_found",
        "invalid_stored_response",
        ...STORE_ERRORS,
      ],
      hasModel: true,
    },
  },
  "/v1/responses/{id}": {
    get: {
      id: "getResponse",
      tag: "Responses",
      summary: "Gives a response that is kept",
      description: "It cannot be streamed again.",
      parameters: [ID, queryParameter("stream", "Nothing but `false`.", { type: "string", const: "false" })],
      answers: { 200: jsonAnswer("The response.", ref("Response")) },
      errors: ["unsupported_value", "response_not_found", ...STORE_ERRORS],
    },
    delete: {
      id: "deleteResponse",
      tag: "Responses",
      summary: "Forgets a response",
      description: "Those that went on from it are kept.",
      parameters: [ID],
      answers: { 200: jsonAnswer("It is forgotten.", ref("DeletedResponse")) },
      errors: ["response_not_found", ...STORE_ERRORS],
    },
  },
  "/v1/responses/{id}/input_items": {
    get: {
      id: "listInputItems",
      tag: "Responses",
      summary: "Lists what a response was asked with",
      description: "With what was said before, if it went on from another.",
      parameters: [ID, ...pageParameters("desc")],
      answers: { 200: jsonAnswer("The items.", ref("ResponseItemList")) },
      errors: ["invalid_value", "response_not_found", ...STORE_ERRORS],
    },
  },
  "/v1/responses/{id}/cancel": {
    post: {
      id: "cancelResponse",
      tag: "Responses",
      summary: "Refused: no response is made in the background",
      description: "To end a stream, close its connection.",
      parameters: [ID],
      answers: {},
      errors: ["response_not_in_background", "response_not_found", ...STORE_ERRORS],
    },
  },
  "/v1/responses/input_tokens": {
    post: {
      id: "getInputTokenCounts",
      tag: "Responses",
      summary: "Refused: tokens are not counted beforehand",
      description: "See the `usage` of an answer.",
      answers: {},
      errors: ["unsupported_endpoint"],
    },
  },
  "/v1/responses/compact": {
    post: {
      id: "compactResponse",
      tag: "Responses",
      summary: "Refused: conversations are not compacted",
      description: "Send a shorter one.",
      answers: {},
      errors: ["unsupported_endpoint"],
    },
  },
};
