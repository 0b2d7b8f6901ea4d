/** The routes of chat completions that are kept. */
import { ChatModelError, ValidationError, type ValidationIssue } from "../types/mod.ts";
import { isJsonObject } from "../types/_schema.ts";
import { setMember } from "../types/_shape.ts";
import { type BodyLimits, readJson } from "./_body.ts";
import type { ChatRouteOptions } from "./_chat_completions.ts";
import { checkMetadata } from "./_metadata.ts";
import { findRepeated, pageBody, readPageQuery, unknownCursor } from "./_page_query.ts";
import { type AnswerHeaders, jsonResponse } from "./_respond.ts";
import type { ResponseStore, StoredAnswer, StoredAnswerQuery, StoredObject } from "./response_store.ts";
import type { Methods, Route, Routes } from "./_router.ts";

/** `/chat/completions` but for POST, `/chat/completions/:id` and what is below. */
export function storedCompletionRoutes(
  options: Pick<ChatRouteOptions, "storeOf" | "bodies">,
): { readonly list: Route; readonly routes: Routes } {
  const { storeOf } = options;
  return {
    list: (request, scope, headers) => listCompletions(request, headers, storeOf(scope)),
    routes: {
      "/chat/completions/:id": completionMethods(storeOf, options.bodies),
      "/chat/completions/:id/messages": {
        async GET(request, scope, headers, id) {
          const { input } = await getCompletion(id, storeOf(scope));
          const { after, limit, order } = readPageQuery(new URL(request.url).searchParams);
          const messages = input.map((message, index) => toStoredMessage(message, `${id}-${index}`));
          if (order === "desc") messages.reverse();
          const start = after === undefined ? 0 : messages.findIndex((message) => message["id"] === after) + 1;
          if (after !== undefined && start === 0) throw unknownCursor(after);
          const body = pageBody(messages.slice(start, start + limit), messages.length > start + limit);
          return jsonResponse(body, 200, headers);
        },
      },
    },
  };
}

async function listCompletions(request: Request, headers: AnswerHeaders, store: ResponseStore): Promise<Response> {
  const query = readQuery(new URL(request.url).searchParams);
  const { after } = query;
  if (after !== undefined && (await store.get(after))?.object !== "chat.completion") throw unknownCursor(after);
  const { data, hasMore } = await store.list(query);
  return jsonResponse(pageBody(data.map(toBody), hasMore), 200, headers);
}

function completionMethods(storeOf: ChatRouteOptions["storeOf"], bodies: BodyLimits): Methods {
  return {
    async GET(_request, scope, headers, id) {
      return jsonResponse(JSON.stringify(toBody(await getCompletion(id, storeOf(scope)))), 200, headers);
    },
    async POST(request, scope, headers, id) {
      const store = storeOf(scope);
      const metadata = readUpdate(await readJson(request, bodies, { example: '{"metadata": {"key": "value"}}' }));
      const answer = { ...await getCompletion(id, store), metadata };
      await store.set(answer);
      return jsonResponse(JSON.stringify(toBody(answer)), 200, headers);
    },
    async DELETE(_request, scope, headers, id) {
      const store = storeOf(scope);
      await getCompletion(id, store);
      await store.delete(id);
      return jsonResponse(JSON.stringify({ id, object: "chat.completion.deleted", deleted: true }), 200, headers);
    },
  };
}

async function getCompletion(id: string, store: ResponseStore): Promise<StoredAnswer> {
  const answer = await store.get(id);
  if (answer?.object === "chat.completion") return answer;
  throw new ChatModelError(
    `Cannot find chat completion "${id}": it was never made, was made without "store": true, or is kept no more`,
    { code: "completion_not_found" },
  );
}

/** An answer as it was sent, with its labels. */
function toBody({ body, metadata }: StoredAnswer): StoredObject {
  return { ...body, metadata };
}

/** A message as OpenAI lists it: text in `content`, parts beside it. */
function toStoredMessage(message: StoredObject, id: string): StoredObject {
  const { content = null } = message;
  const isParts = Array.isArray(content);
  return {
    refusal: null,
    ...message,
    id,
    content: isParts ? null : content,
    content_parts: isParts ? content : null,
  };
}

const METADATA_REGEXP = /^metadata\[([^]*)\]$/;

/** @throws {ValidationError} If a value is none that it can be. */
function readQuery(query: URLSearchParams): StoredAnswerQuery {
  const { after, limit, order } = readPageQuery(query);
  const model = query.get("model");
  const metadata: Record<string, string> = {};
  const labels = [...new Set(query.keys())].filter((name) => METADATA_REGEXP.test(name));
  const issues = findRepeated(query, ["model", ...labels]);
  for (const [name, value] of query) {
    const key = METADATA_REGEXP.exec(name)?.[1];
    if (key !== undefined) setMember(metadata, key, value);
    else if (name === "metadata") {
      issues.push({ path: "metadata", message: "Expected labels one by one, such as metadata[key]=value" });
    }
  }
  if (issues.length > 0) throw new ValidationError("Cannot parse query", issues);
  return {
    object: "chat.completion",
    limit,
    order,
    metadata: checkMetadata(metadata, "Cannot parse query"),
    ...(after !== undefined && { after }),
    ...(model !== null && { model }),
  };
}

/** The labels that an update sets. @throws {ValidationError} If it would change anything else. */
function readUpdate(body: unknown): Readonly<Record<string, string>> {
  const action = "Cannot parse update";
  if (!isJsonObject(body)) throw new ValidationError(action, [{ path: "", message: "Expected an object" }]);
  const issues: ValidationIssue[] = Object.keys(body).filter((name) => name !== "metadata")
    .map((path) => ({ path, message: 'Expected nothing, as only "metadata" can be changed' }));
  if (body["metadata"] === undefined) {
    issues.unshift({ path: "metadata", message: "Expected an object or null, found nothing" });
  }
  if (issues.length > 0) throw new ValidationError(action, issues);
  return checkMetadata(body["metadata"], action);
}
