/** The whole document. */
import { VERSION } from "../../_version.ts";
import { makeSchemas } from "./components.ts";
import { SharedAnswers } from "./errors.ts";
import { HEADERS } from "./headers.ts";
import type { Json } from "./json.ts";
import { makeOperation } from "./operation.ts";
import { chatPaths } from "./paths_chat.ts";
import { completionPaths } from "./paths_completions.ts";
import { mlflowPaths } from "./paths_mlflow.ts";
import { modelPaths } from "./paths_models.ts";
import { pagePaths } from "./paths_pages.ts";
import { responsePaths } from "./paths_responses.ts";
import { storedPaths } from "./paths_stored.ts";

const PATHS = [chatPaths, storedPaths, responsePaths, completionPaths, modelPaths, mlflowPaths, pagePaths];

const SECURITY = {
  apiKey: { type: "http", scheme: "bearer", description: "A key of this server, if it asks for keys." },
};

/** Puts the document together. The same in all runs. */
export function makeDocument(): Json {
  const errors = new SharedAnswers();
  return {
    openapi: "3.1.1",
    info: {
      title: "chat-model",
      version: VERSION,
      license: { name: "MIT", identifier: "MIT" },
      description: "Chat models behind OpenAI's API and MLflow's scoring server. Paths below `/v1` are there without " +
        "it too, and a slash at the end changes nothing. Every GET comes with a HEAD, and OPTIONS tells a path's " +
        "methods; slashes may be doubled around `/v1`; any other method is answered with 405 and `allow`, an unknown path with 404.",
    },
    servers: [{ url: "/" }],
    // A server without keys asks for none.
    security: [{ apiKey: [] }, {}],
    tags: [
      { name: "Chat", description: "OpenAI's Chat Completions." },
      { name: "Responses", description: "OpenAI's Responses." },
      { name: "Completions", description: "OpenAI's Completions, its older API." },
      { name: "Embeddings", description: "Vectors of texts." },
      { name: "Models", description: "The models that there are." },
      { name: "MLflow", description: "MLflow's scoring server." },
      { name: "Server", description: "The server itself." },
    ],
    paths: makePaths(errors),
    components: { schemas: makeSchemas(), responses: errors.named(), headers: HEADERS, securitySchemes: SECURITY },
  };
}

function makePaths(errors: SharedAnswers): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [path, operations] of PATHS.flatMap((group) => Object.entries(group))) {
    const methods = paths[path] ??= {};
    for (const [method, operation] of Object.entries(operations)) methods[method] = makeOperation(operation, errors);
  }
  return paths;
}
