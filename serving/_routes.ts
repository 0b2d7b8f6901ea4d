/** All routes of an app. */
import { chatCompletions, type ChatRouteOptions, modelNotFound } from "./_chat_completions.ts";
import type { ModelDirectory } from "./directory.ts";
import { invocations } from "./_invocations.ts";
import { makeRootRoute } from "./_playground.ts";
import { jsonResponse } from "./_respond.ts";
import { responseRoutes } from "./responses/mod.ts";
import type { Route, Routes } from "./_router.ts";
import { VERSION } from "../_version.ts";

/** The routes by path, without `/v1`. */
export function makeRoutes(options: ChatRouteOptions, page: { readonly playground: boolean }): Routes {
  return {
    "/chat/completions": { POST: (request, scope, headers) => chatCompletions(request, scope, headers, options) },
    "/invocations": { POST: (request, scope, headers) => invocations(request, scope, headers, options) },
    ...responseRoutes(options),
    ...modelRoutes(options.directory),
    // As MLflow's scoring server answers them, to the byte; the version is this package's.
    "/ping": { GET: text("\n") },
    "/health": { GET: text("\n") },
    "/version": { GET: text(VERSION) },
    "/": { GET: makeRootRoute(page) },
  };
}

function modelRoutes(directory: ModelDirectory): Routes {
  return {
    "/models": {
      async GET(_request, scope, headers) {
        const data = await directory.list(scope.signal);
        return jsonResponse(JSON.stringify({ object: "list", data }), 200, headers);
      },
    },
    "/models/:id": {
      async GET(_request, scope, headers, id) {
        const models = await directory.list(scope.signal);
        const model = models.find((model) => model.id === id) ?? models.find((model) => `${model.id}:latest` === id);
        if (model === undefined) throw modelNotFound(id);
        return jsonResponse(JSON.stringify(model), 200, headers);
      },
    },
  };
}

function text(body: string): Route {
  return (_request, _scope, headers) => jsonResponse(body, 200, headers);
}
