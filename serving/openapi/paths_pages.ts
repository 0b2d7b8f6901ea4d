/** What the server has beside its APIs. */
import { COMMON_HEADERS } from "./headers.ts";
import { answer, jsonAnswer, type Operation } from "./operation.ts";

/** Operations by path and method. */
export const pagePaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/": {
    get: {
      id: "getPlayground",
      tag: "Server",
      summary: "Gives browsers a page to chat on",
      description: "All others, and browsers where there is no page, get a line of text.",
      answers: {
        200: answer("The page, or a line of text.", {
          "text/plain; charset=utf-8": { schema: { type: "string" } },
          "text/html; charset=utf-8": { schema: { type: "string" } },
        }),
        304: { description: "The page is as `if-none-match` says.", headers: COMMON_HEADERS },
      },
      errors: [],
    },
  },
  "/openapi.json": {
    get: {
      id: "getOpenapi",
      tag: "Server",
      summary: "Gives this document",
      description: "OpenAPI 3.1.",
      answers: {
        200: jsonAnswer("This document.", {
          type: "object",
          properties: { openapi: { type: "string", pattern: "^3\\.1\\.\\d+$" } },
          required: ["openapi", "info", "paths", "components"],
        }),
      },
      errors: [],
    },
  },
};
