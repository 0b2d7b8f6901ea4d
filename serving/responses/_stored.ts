/** The routes of responses that are kept. */
import { ChatModelError, ValidationError } from "../../types/mod.ts";
import type { ChatRouteOptions } from "../_chat_completions.ts";
import { findRepeated } from "../_page_query.ts";
import { jsonResponse } from "../_respond.ts";
import type { Routes } from "../_router.ts";
import type { ResponseStore, StoredAnswer } from "../response_store.ts";

/** `/responses/:id` and what is below. */
export function storedResponseRoutes({ storeOf }: ChatRouteOptions): Routes {
  return {
    "/responses/:id": {
      async GET(request, scope, headers, id) {
        if (queryOf(request).getAll("stream").some((stream) => stream !== "false")) throw notStreamed();
        const { body } = await getResponse(id, storeOf(scope));
        return jsonResponse(JSON.stringify(body), 200, headers);
      },
      async DELETE(_request, scope, headers, id) {
        const store = storeOf(scope);
        await getResponse(id, store);
        await store.delete(id);
        return jsonResponse(JSON.stringify({ id, object: "response", deleted: true }), 200, headers);
      },
    },
    "/responses/:id/input_items": {
      async GET(request, scope, headers, id) {
        const { input } = await getResponse(id, storeOf(scope));
        const { after, limit, order } = readPage(queryOf(request));
        const items = order === "asc" ? input : input.toReversed();
        const start = after === undefined ? 0 : items.findIndex((item) => item["id"] === after) + 1;
        if (after !== undefined && start === 0) throw unknownItem(after, id);
        const data = items.slice(start, start + limit);
        // As OpenAI's schema has it, these are no nulls.
        const [first_id = "", last_id = ""] = [data[0]?.["id"], data.at(-1)?.["id"]];
        const list = { object: "list", data, first_id, last_id, has_more: items.length > start + limit };
        return jsonResponse(JSON.stringify(list), 200, headers);
      },
    },
    "/responses/:id/cancel": {
      async POST(_request, scope, _headers, id) {
        await getResponse(id, storeOf(scope));
        throw new ChatModelError(
          `Cannot cancel response "${id}": it was not made in the background. To end a stream, close its connection`,
          { code: "response_not_in_background" },
        );
      },
    },
  };
}

async function getResponse(id: string, store: ResponseStore): Promise<StoredAnswer> {
  const answer = await store.get(id);
  if (answer?.object === "response") return answer;
  throw new ChatModelError(
    `Cannot find response "${id}": it was never made, was made with "store": false, or is kept no more`,
    { code: "response_not_found" },
  );
}

function queryOf({ url }: Request): URLSearchParams {
  return new URL(url).searchParams;
}

function notStreamed(): ChatModelError {
  return new ChatModelError('Cannot stream a response that is kept: ask for it without "stream"', {
    code: "unsupported_value",
    param: "stream",
  });
}

function unknownItem(after: string, id: string): ChatModelError {
  return new ChatModelError(`Cannot list items after "${after}": response "${id}" was not asked with it`, {
    code: "invalid_value",
    param: "after",
  });
}

/** A page's place in a list. */
interface Page {
  readonly after: string | undefined;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

function readPage(query: URLSearchParams): Page {
  const { after, limit = "20", order = "desc" } = Object.fromEntries(query);
  const issues = findRepeated(query, ["after", "limit", "order"]);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    issues.push({ path: "limit", message: `Expected an integer from 1 to 100, found ${JSON.stringify(limit)}` });
  }
  if (order !== "asc" && order !== "desc") {
    issues.push({ path: "order", message: `Expected "asc" or "desc", found ${JSON.stringify(order)}` });
  }
  if (issues.length > 0) throw new ValidationError("Cannot parse query", issues);
  return { after, limit: Number(limit), order: order === "asc" ? "asc" : "desc" };
}
