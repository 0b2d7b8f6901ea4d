/** The routes of the Responses API. */
import { ChatModelError } from "../../types/mod.ts";
import type { ChatRouteOptions } from "../_chat_completions.ts";
import type { Route, Routes } from "../_router.ts";
import { createResponse } from "./_create.ts";
import { storedResponseRoutes } from "./_stored.ts";

/** The routes by path, without `/v1`. */
export function responseRoutes(options: ChatRouteOptions): Routes {
  return {
    "/responses": { POST: (request, scope, headers) => createResponse(request, scope, headers, options) },
    "/responses/input_tokens": { POST: missing("count input tokens", 'see the "usage" of an answer') },
    "/responses/compact": { POST: missing("compact a conversation", 'send a shorter one as "input"') },
    ...storedResponseRoutes(options),
  };
}

/** What OpenAI has, and this server has not. */
function missing(action: string, advice: string): Route {
  return () => {
    throw new ChatModelError(`Cannot ${action}: this server has no means to do that, ${advice}`, {
      code: "unsupported_endpoint",
    });
  };
}
