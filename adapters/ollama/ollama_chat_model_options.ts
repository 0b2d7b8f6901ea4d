import type { OllamaPullProgress } from "./api_types.ts";
import type { OllamaClient } from "./client.ts";
import { isKeepAlive, KEEP_ALIVE_FORM, type OllamaDefaults } from "./convert_request.ts";
import { checkOptions, type OllamaOptions } from "./options.ts";
import { RequestIssues } from "./_request_issues.ts";

/** Options for `OllamaChatModel`. Requests win over them. */
export interface OllamaChatModelOptions {
  /** Name of the model, `name[:tag]`. */
  readonly model: string;
  /** Speaks to Ollama. Default: a client of its own, which finds Ollama by `OLLAMA_HOST`. */
  readonly client?: OllamaClient;
  /**
   * Ollama's own options, such as `num_ctx`. What is not set is left to the Modelfile.
   *
   * @default {{}}
   */
  readonly options?: OllamaOptions;
  /** How long the model stays loaded after an answer: seconds, or a duration such as `"5m"`. Default: Ollama's. */
  readonly keepAlive?: number | string;
  /** Whether or how much to think. Default: the model's own choice, and models that can think then do. */
  readonly think?: boolean | string;
  /**
   * Whether Ollama may drop the oldest messages when the prompt is longer than the window, which it does without
   * a word. If not, such a request fails with status 400 and code `context_length_exceeded`.
   *
   * @default {false}
   */
  readonly truncate?: boolean;
  /** Whether Ollama shifts the window when it fills while it answers. Default: Ollama's. */
  readonly shift?: boolean;
  /**
   * Whether to have Ollama download the model if it is missing: a function is told of the progress. The request
   * that finds it missing waits for the download.
   *
   * @default {false}
   */
  readonly pullMissing?: boolean | ((progress: OllamaPullProgress) => void);
  /**
   * Hosts that images may be fetched from, with a port or without, such as `"images.example.com"`. Images at other
   * hosts are refused, since whoever may ask could otherwise have any address fetched that this process can reach.
   *
   * @default {[]}
   */
  readonly allowedImageHosts?: readonly string[];
}

/**
 * Checks the options of a model and gives what requests start from.
 *
 * @param options The options.
 * @returns What requests start from.
 * @throws {ValidationError} If an option has a value that Ollama cannot take.
 */
export function toDefaults(options: OllamaChatModelOptions): OllamaDefaults {
  const { model, options: own = {}, keepAlive, think, truncate = false, shift, allowedImageHosts = [] } = options;
  const issues = new RequestIssues();
  if (typeof model !== "string" || model.trim() === "") {
    issues.add({ path: "model", message: "must be the name of a model" });
  }
  checkOptions(own, "options", issues);
  if (keepAlive !== undefined && !isKeepAlive(keepAlive)) issues.add({ path: "keepAlive", message: KEEP_ALIVE_FORM });
  issues.throwIfAny("Cannot make an OllamaChatModel");
  return {
    model,
    options: own,
    truncate,
    allowedImageHosts,
    ...(keepAlive !== undefined && { keepAlive }),
    ...(think !== undefined && { think }),
    ...(shift !== undefined && { shift }),
  };
}
