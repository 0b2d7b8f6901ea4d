import type { EmbeddingParams } from "../../types/mod.ts";
import type { EmbedResult } from "../../streaming/mod.ts";
import type { OllamaEmbedRequest, OllamaEmbedResponse } from "./api_types.ts";
import { isKeepAlive, KEEP_ALIVE_FORM, type OllamaDefaults } from "./convert_request.ts";
import { checkOptions, isOllamaOption, kindOf } from "./options.ts";
import { isRecord, RequestIssues } from "./_request_issues.ts";

/**
 * Turns a request for vectors into Ollama's form. Pure.
 *
 * The chat's options go with it: with another `num_ctx` Ollama would load the model anew.
 *
 * @param input The texts.
 * @param params The parameters. Of the fields that OpenAI does not have, Ollama's own are taken: `keep_alive`, `truncate`,
 * `options`, and single options.
 * @param defaults What the model is set up with.
 * @returns Body of `POST /api/embed`.
 * @throws {ValidationError} If Ollama cannot honour the request; it names all that is wrong.
 */
export function convertEmbedding(
  input: readonly string[],
  params: EmbeddingParams,
  defaults: OllamaDefaults,
): OllamaEmbedRequest {
  const issues = new RequestIssues();
  const { options: given, keep_alive = defaults.keepAlive, truncate = defaults.truncate, ...rest } = withoutNulls(
    params.extra ?? {},
  );
  const single: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (isOllamaOption(name)) single[name] = value;
    else issues.addUnsupported(name, "must be absent, as Ollama does not know it where it makes vectors");
  }
  checkOptions(single, "", issues);
  if (given !== undefined && !isRecord(given)) {
    issues.add({ path: "options", message: `must be an object, but is ${kindOf(given)}` });
  } else if (given !== undefined) checkOptions(given, "options", issues);
  if (keep_alive !== undefined && !isKeepAlive(keep_alive)) {
    issues.add({ path: "keep_alive", message: KEEP_ALIVE_FORM });
  }
  if (typeof truncate !== "boolean") {
    issues.add({ path: "truncate", message: `must be true or false, but is ${kindOf(truncate)}` });
  }
  issues.throwIfAny();
  const options = { ...defaults.options, ...(isRecord(given) && withoutNulls(given)), ...single };
  return {
    model: defaults.model,
    input,
    ...(typeof truncate === "boolean" && { truncate }),
    ...(params.dimensions !== undefined && { dimensions: params.dimensions }),
    ...(Object.keys(options).length > 0 && { options }),
    ...(isKeepAlive(keep_alive) && { keep_alive }),
  };
}

function withoutNulls(fields: { readonly [name: string]: unknown }): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/** Takes the vectors out of Ollama's answer. */
export function convertVectors({ embeddings, prompt_eval_count }: OllamaEmbedResponse): EmbedResult {
  return {
    embeddings,
    ...(prompt_eval_count !== undefined && { usage: { prompt_tokens: prompt_eval_count } }),
  };
}
