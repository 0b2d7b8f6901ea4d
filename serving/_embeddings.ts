/** `POST /v1/embeddings`. */
import { ChatModelError, type EmbeddingRequest } from "../types/mod.ts";
import { checkEmbeddingRequest } from "../types/_parse_embedding.ts";
import type { LoadedChatModel } from "../loaded_chat_model.ts";
import { LoadedCustomModel } from "../loaded_custom_model.ts";
import { readJson } from "./_body.ts";
import { type ChatRouteOptions, modelNotFound } from "./_chat_completions.ts";
import { admit, type AdmitOptions, type Asking, checkAccess } from "./_admit.ts";
import { estimateTextTokens } from "./limits/mod.ts";
import { jsonResponse } from "./_respond.ts";
import type { Routes } from "./_router.ts";

/** The routes by path, without `/v1`. */
export function embeddingRoutes(options: ChatRouteOptions): Routes {
  return {
    "/embeddings": {
      async POST(request, scope, headers) {
        const body = await readJson(request, options.bodies, { example: '{"input": "Hello"}' });
        const embeddingRequest = checkEmbeddingRequest(body);
        const model = await findModel(embeddingRequest, { scope, headers }, options);
        return jsonResponse(JSON.stringify(await model.embed(embeddingRequest, scope)), 200, headers);
      },
    },
  };
}

async function findModel(
  { model: name, input }: EmbeddingRequest,
  asking: Asking,
  { directory, admission }: AdmitOptions,
): Promise<LoadedChatModel> {
  await checkAccess(name, asking.scope, directory);
  const model = await directory.find(name);
  if (model === undefined) throw modelNotFound(name);
  if (!LoadedCustomModel.isInstance(model)) {
    return await admit(model, () => estimateTextTokens(typeof input === "string" ? [input] : input), asking, admission);
  }
  throw new ChatModelError(
    `Cannot embed with model "${model.name}": it is a custom model. Ask it by POST /invocations`,
    { code: "unsupported_model", param: "model" },
  );
}
