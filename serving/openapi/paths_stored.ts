/** Chat completions that are kept. */
import { BODY_ERRORS, STORE_ERRORS } from "./errors.ts";
import { ref } from "./json.ts";
import { idParameter, jsonAnswer, type Operation, pageParameters, queryParameter } from "./operation.ts";

const ID = idParameter("id", "Id of the chat completion.");

const NOT_FOUND = ["completion_not_found", ...STORE_ERRORS];

/** Operations by path and method. */
export const storedPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/v1/chat/completions": {
    get: {
      id: "listChatCompletions",
      tag: "Chat",
      summary: "Lists the chat completions that are kept",
      description: "Those that were asked for with `store: true`.",
      parameters: [
        ...pageParameters("asc"),
        queryParameter("model", "Only those of this model.", { type: "string" }),
        {
          ...queryParameter("metadata", "Only those with all of these labels: `metadata[key]=value`.", ref("Metadata")),
          style: "deepObject",
          explode: true,
        },
      ],
      answers: { 200: jsonAnswer("The chat completions.", ref("StoredChatCompletionList")) },
      errors: ["invalid_value", ...STORE_ERRORS],
    },
  },
  "/v1/chat/completions/{id}": {
    get: {
      id: "getChatCompletion",
      tag: "Chat",
      summary: "Gives a chat completion that is kept",
      description: "As it was sent, with its labels.",
      parameters: [ID],
      answers: { 200: jsonAnswer("The chat completion.", ref("StoredChatCompletion")) },
      errors: NOT_FOUND,
    },
    post: {
      id: "updateChatCompletion",
      tag: "Chat",
      summary: "Sets the labels of a chat completion",
      description: "Nothing else of it can be changed.",
      parameters: [ID],
      body: ref("ChatCompletionUpdate"),
      answers: { 200: jsonAnswer("The chat completion, with its new labels.", ref("StoredChatCompletion")) },
      errors: [...BODY_ERRORS, "invalid_value", ...NOT_FOUND],
    },
    delete: {
      id: "deleteChatCompletion",
      tag: "Chat",
      summary: "Forgets a chat completion",
      description: "It can be neither listed nor read again.",
      parameters: [ID],
      answers: { 200: jsonAnswer("It is forgotten.", ref("DeletedChatCompletion")) },
      errors: NOT_FOUND,
    },
  },
  "/v1/chat/completions/{id}/messages": {
    get: {
      id: "getChatCompletionMessages",
      tag: "Chat",
      summary: "Lists the messages that a chat completion was asked with",
      description: "Text stands in `content`, parts in `content_parts`.",
      parameters: [ID, ...pageParameters("asc")],
      answers: { 200: jsonAnswer("The messages.", ref("StoredMessageList")) },
      errors: ["invalid_value", ...NOT_FOUND],
    },
  },
};
