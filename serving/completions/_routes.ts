/** The routes of legacy completions. */
import type { ChatRouteOptions } from "../_chat_completions.ts";
import type { Routes } from "../_router.ts";
import { createCompletion } from "./_create.ts";

/** The routes by path, without `/v1`. */
export function completionRoutes(options: ChatRouteOptions): Routes {
  return {
    "/completions": { POST: (request, scope, headers) => createCompletion(request, scope, headers, options) },
  };
}
