/** Putting operations together. */
import { errorAnswers, type ErrorForm, type SharedAnswers } from "./errors.ts";
import { COMMON_HEADERS, RATE_LIMIT_HEADERS } from "./headers.ts";
import type { Json } from "./json.ts";

/** What one can do at a path. */
export interface Operation extends ErrorForm {
  /** OpenAI's name for it, where it has one. */
  readonly id: string;
  /** Group in the document. */
  readonly tag: string;
  /** A line on what it does. */
  readonly summary: string;
  /** What else there is to know. */
  readonly description: string;
  /** Parameters in path and query. */
  readonly parameters?: readonly Json[];
  /** Schema of the body. */
  readonly body?: Json;
  /** Answers that are no errors, by status. */
  readonly answers: Readonly<Record<string, Json>>;
  /** Codes of the errors that can come, beside those of every route. */
  readonly errors: readonly string[];
}

/**
 * An operation as it stands in the document.
 *
 * @param operation The operation.
 * @param shared Takes the answers that operations have in common.
 */
export function makeOperation(operation: Operation, shared: SharedAnswers): Json {
  const { id, tag, summary, description, parameters, body, errors, isPublic = false, hasModel = false } = operation;
  const answers = hasModel ? withLimits(operation.answers) : operation.answers;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...isPublic && { security: [] },
    ...parameters !== undefined && { parameters },
    ...body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: body } } },
    },
    responses: { ...answers, ...shared.refs(errorAnswers(errors, operation)) },
  };
}

/** Answers of a model, which tell how much a key may still ask. */
function withLimits(answers: Operation["answers"]): Operation["answers"] {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const { headers } = answer;
      return [status, { ...answer, headers: { ...typeof headers === "object" && headers, ...RATE_LIMIT_HEADERS } }];
    }),
  );
}

/** An answer with a body in JSON. */
export function jsonAnswer(description: string, schema: Json): Json {
  return answer(description, { "application/json": { schema } });
}

/** The events of a stream. */
export interface Events {
  /** What they are. */
  readonly description: string;
  /** Schema of what their data are, read as JSON. */
  readonly schema: Json;
  /** Whether the last one's data are `[DONE]` in place of JSON. @default {false} */
  readonly hasDone?: boolean;
}

/** An answer that is one object, or a stream of events if that was asked for. */
export function streamableAnswer(description: string, schema: Json, events: Events): Json {
  const { hasDone = false } = events;
  const data = { type: "string", contentMediaType: "application/json", contentSchema: events.schema };
  return answer(description, {
    "application/json": { schema },
    // Of each event, as OpenAPI 3.2 puts it: 3.1 has no word for streams.
    "text/event-stream": {
      schema: {
        description: events.description,
        type: "object",
        properties: {
          event: { type: "string" },
          data: hasDone ? { anyOf: [data, { type: "string", const: "[DONE]" }] } : data,
        },
        required: ["data"],
      },
    },
  });
}

/** An answer with bodies by their type. */
export function answer(description: string, content: Json): Json {
  return { description, headers: COMMON_HEADERS, content };
}

/** An id in a path. */
export function idParameter(name: string, description: string): Json {
  return { name, in: "path", required: true, description, schema: { type: "string", minLength: 1 } };
}

/** A parameter in the query that may be absent. */
export function queryParameter(name: string, description: string, schema: Json): Json {
  return { name, in: "query", description, schema };
}

/** Which part of a list to give. */
export function pageParameters(order: "asc" | "desc"): Json[] {
  return [
    queryParameter("after", "Id, in the list, of what comes before the first that is wanted.", { type: "string" }),
    queryParameter("limit", "How many at most.", { type: "integer", minimum: 1, maximum: 100, default: 20 }),
    queryParameter("order", "From the oldest or from the newest.", { enum: ["asc", "desc"], default: order }),
  ];
}
