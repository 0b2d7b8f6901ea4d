import { ChatModelError } from "../../types/mod.ts";

/** What is known of an API key: never the key itself. */
export interface ApiKey {
  /** What logs and metrics call it: a letter or digit, then up to 63 of those and `_`, `.`, `@`, `-`. */
  readonly name: string;
  /** SHA-256 of the key: 64 hexadecimal digits, lower case. */
  readonly sha256: string;
  /**
   * Names of the models that it is for. One that ends in `*` stands for all that begin so; `:latest` at the end makes
   * no difference, as with Ollama. Default: all models.
   */
  readonly models?: readonly string[];
  /** Requests in a minute at most. Default: no limit. */
  readonly requestsPerMinute?: number;
  /** Tokens in a minute at most, those of the request and of the answer together. Default: no limit. */
  readonly tokensPerMinute?: number;
  /** Requests at the same time at most. Default: no limit. */
  readonly maxConcurrency?: number;
}

/** Names longer than that are cut in messages. */
const QUOTED_LENGTH = 100;

/**
 * Whether a key is for a model.
 *
 * @param key The key.
 * @param model Name of the model, as the request has it.
 * @returns Whether it is.
 */
export function allowsModel(key: ApiKey, model: string): boolean {
  if (key.models === undefined) return true;
  const bare = withoutLatest(model);
  return key.models.some((allowed) => {
    if (!allowed.endsWith("*")) return withoutLatest(allowed) === bare;
    const prefix = allowed.slice(0, -1);
    // What is meant by `llama3.2` has the tag that `llama3.2:*` asks for.
    return bare.startsWith(prefix) || `${bare}:latest`.startsWith(prefix);
  });
}

/**
 * Checks that a key is for a model.
 *
 * @param key The key.
 * @param model Name of the model: of the default one if the request names none.
 * @throws {ChatModelError} Status 403, code `model_not_allowed`, if it is not.
 */
export function checkModel(key: ApiKey, model: string): void {
  if (allowsModel(key, model)) return;
  const name = model.length > QUOTED_LENGTH ? `${model.slice(0, QUOTED_LENGTH)}…` : model;
  throw new ChatModelError(
    `Cannot use model ${JSON.stringify(name)}: the API key "${key.name}" is not for it. ` +
      "Use a model that GET /v1/models lists, or another key",
    { code: "model_not_allowed", param: "model" },
  );
}

function withoutLatest(model: string): string {
  return model.endsWith(":latest") ? model.slice(0, -":latest".length) : model;
}
