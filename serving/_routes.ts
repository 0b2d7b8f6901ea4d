/** All routes of an app. */
import { chatCompletions, type ChatRouteOptions, modelNotFound } from "./_chat_completions.ts";
import { allowedModels, checkAccess } from "./_admit.ts";
import type { RequestScope } from "./_request_scope.ts";
import { completionRoutes } from "./completions/mod.ts";
import type { ModelDirectory } from "./directory.ts";
import { embeddingRoutes } from "./_embeddings.ts";
import { metricsRoutes, type MetricsText } from "./_metrics_route.ts";
import { healthRoutes, type Readiness } from "./_health.ts";
import { invocations } from "./_invocations.ts";
import { makeRootRoute } from "./_playground.ts";
import { jsonResponse } from "./_respond.ts";
import { responseRoutes } from "./responses/mod.ts";
import type { Route, Routes } from "./_router.ts";
import { storedCompletionRoutes } from "./_stored_completions.ts";
import { ChatModelError, type Model } from "../types/mod.ts";
import { VERSION } from "../_version.ts";

/** The routes by path, without `/v1`. */
export function makeRoutes(
  options: ChatRouteOptions,
  others: {
    readonly playground: boolean;
    readonly readiness: Readiness;
    readonly metrics?: MetricsText | undefined;
  },
): Routes {
  const stored = storedCompletionRoutes(options);
  return {
    "/chat/completions": {
      GET: stored.list,
      POST: (request, scope, headers) => chatCompletions(request, scope, headers, options),
    },
    ...stored.routes,
    ...completionRoutes(options),
    ...embeddingRoutes(options),
    "/invocations": { POST: (request, scope, headers) => invocations(request, scope, headers, options) },
    ...responseRoutes(options),
    ...modelRoutes(options.directory),
    // As MLflow's scoring server answers them, to the byte; the version is this package's.
    "/ping": { GET: text("\n") },
    "/health": { GET: text("\n") },
    ...healthRoutes(others.readiness),
    ...metricsRoutes(others.metrics),
    "/version": { GET: text(VERSION) },
    "/openapi.json": { GET: openapi },
    "/": { GET: makeRootRoute(others) },
  };
}

function modelRoutes(directory: ModelDirectory): Routes {
  return {
    "/models": {
      async GET(_request, scope, headers) {
        const data = allowedModels(await directory.list(scope.signal), scope);
        return jsonResponse(JSON.stringify({ object: "list", data }), 200, headers);
      },
    },
    "/models/:id": {
      async GET(_request, scope, headers, id) {
        return jsonResponse(JSON.stringify(await getModel(id, directory, scope)), 200, headers);
      },
      async DELETE(_request, scope, _headers, id) {
        await getModel(id, directory, scope);
        throw notDeletable(id);
      },
    },
  };
}

async function getModel(id: string, directory: ModelDirectory, scope: RequestScope): Promise<Model> {
  await checkAccess(id, scope, directory);
  const models = await directory.list(scope.signal);
  const model = models.find((model) => model.id === id) ?? models.find((model) => `${model.id}:latest` === id);
  if (model === undefined) throw modelNotFound(id);
  return model;
}

/** OpenAI deletes models that were made by whoever asks. Those here belong to who runs the server. */
function notDeletable(id: string): ChatModelError {
  return new ChatModelError(
    `Cannot delete model "${id}": it belongs to who runs this server. Serve others in its place, ` +
      "or, for a model of Ollama, run 'ollama rm' where Ollama runs",
    { code: "model_not_deletable", param: "model" },
  );
}

function text(body: string): Route {
  return (_request, _scope, headers) => jsonResponse(body, 200, headers);
}

/** The description of all this. Not imported before it is asked for, as few do, and it is long. */
const openapi: Route = async (_request, _scope, headers) => {
  const { OPENAPI_DOCUMENT } = await import("./_openapi_document.ts");
  return jsonResponse(OPENAPI_DOCUMENT, 200, headers);
};
