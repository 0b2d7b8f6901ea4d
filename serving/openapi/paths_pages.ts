/** What the server has beside its APIs. */
import { COMMON_HEADERS } from "./headers.ts";
import type { Json } from "./json.ts";
import { answer, jsonAnswer, type Operation } from "./operation.ts";

function statusSchema(...statuses: readonly string[]): Json {
  return {
    type: "object",
    properties: { status: { enum: statuses } },
    required: ["status"],
    additionalProperties: false,
  };
}

/** Operations by path and method. */
export const pagePaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/": {
    get: {
      isPublic: true,
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
  "/health/live": {
    get: {
      isPublic: true,
      id: "getLive",
      tag: "Server",
      summary: "Tells whether the server runs",
      description: "For a liveness probe: asks nothing of any model.",
      answers: { 200: jsonAnswer("It does.", statusSchema("live")) },
      errors: [],
    },
  },
  "/health/ready": {
    get: {
      isPublic: true,
      id: "getReady",
      tag: "Server",
      summary: "Tells whether to send requests",
      description: "For a readiness probe: whether what is behind the models answers is looked at every 5 s at most, " +
        "without asking a model for anything.",
      answers: {
        200: jsonAnswer("Requests are wanted.", statusSchema("ready")),
        503: jsonAnswer(
          "They are not: the server is about to stop (`draining`), or no model can answer (`unavailable`).",
          statusSchema("draining", "unavailable"),
        ),
      },
      errors: [],
    },
  },
  "/openapi.json": {
    get: {
      isPublic: true,
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
