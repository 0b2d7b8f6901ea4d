import type { ChatParams } from "../../types/mod.ts";
import { isRecord, type RequestIssues } from "./_request_issues.ts";

/**
 * Options of Ollama's `/api/chat`, under Ollama's own names (https://docs.ollama.com/modelfile#parameter).
 * What is absent is taken from the model's Modelfile, else from Ollama's defaults.
 */
export interface OllamaOptions {
  /** Most tokens to answer with; negative means no limit. */
  readonly num_predict?: number;
  /** Sampling temperature. */
  readonly temperature?: number;
  /** Sample from this many likeliest tokens only. */
  readonly top_k?: number;
  /** Nucleus sampling: share of probability to sample from. */
  readonly top_p?: number;
  /** Leave out tokens less likely than this share of the likeliest. */
  readonly min_p?: number;
  /** Strength of locally typical sampling; 1 is off. */
  readonly typical_p?: number;
  /** Seed for sampling; −1 means a random one. */
  readonly seed?: number;
  /** Texts that end the answer. They replace those of the Modelfile, even if there are none. */
  readonly stop?: readonly string[];
  /** How many tokens to look back at for repetitions: 0 is off, −1 the whole window. */
  readonly repeat_last_n?: number;
  /** Push against repetitions; 1 is off. */
  readonly repeat_penalty?: number;
  /** Push against tokens that occurred at all. */
  readonly presence_penalty?: number;
  /** Push against frequent tokens. */
  readonly frequency_penalty?: number;
  /** How many tokens at the prompt's start to keep when the window is shifted. */
  readonly num_keep?: number;
  /** Size of the context window, in tokens. Another value than the last loads the model anew. */
  readonly num_ctx?: number;
  /** Tokens per batch. Another value than the last loads the model anew. */
  readonly num_batch?: number;
  /** Layers to put on the GPU. Another value than the last loads the model anew. */
  readonly num_gpu?: number;
  /** Which GPU to use for small tensors. Another value than the last loads the model anew. */
  readonly main_gpu?: number;
  /** Whether to map the model's file into memory. Another value than the last loads the model anew. */
  readonly use_mmap?: boolean;
  /** Threads to compute with; 0 lets Ollama choose. Another value than the last loads the model anew. */
  readonly num_thread?: number;
  /** Tokens to draft ahead. Another value than the last loads the model anew. */
  readonly draft_num_predict?: number;
  /** Any other option, for other versions of Ollama. */
  readonly [name: string]: unknown;
}

type OptionKind = "whole" | "number" | "boolean" | "texts" | "gone";

/** What Ollama 0.24 to 0.33 know. Those that are gone it takes and ignores. */
const OPTION_KINDS: ReadonlyMap<string, OptionKind> = new Map<string, OptionKind>([
  ["num_predict", "whole"],
  ["num_keep", "whole"],
  ["top_k", "whole"],
  ["seed", "whole"],
  ["repeat_last_n", "whole"],
  ["num_ctx", "whole"],
  ["num_batch", "whole"],
  ["num_gpu", "whole"],
  ["main_gpu", "whole"],
  ["num_thread", "whole"],
  ["draft_num_predict", "whole"],
  ["temperature", "number"],
  ["top_p", "number"],
  ["min_p", "number"],
  ["typical_p", "number"],
  ["repeat_penalty", "number"],
  ["presence_penalty", "number"],
  ["frequency_penalty", "number"],
  ["use_mmap", "boolean"],
  ["stop", "texts"],
  ["numa", "gone"],
  ["low_vram", "gone"],
  ["f16_kv", "gone"],
  ["logits_all", "gone"],
  ["vocab_only", "gone"],
  ["use_mlock", "gone"],
  ["embedding_only", "gone"],
  ["tfs_z", "gone"],
  ["mirostat", "gone"],
  ["mirostat_tau", "gone"],
  ["mirostat_eta", "gone"],
  ["penalize_newline", "gone"],
]);

/** Whether Ollama has, or once had, an option of this name. */
export function isOllamaOption(name: string): boolean {
  return OPTION_KINDS.has(name);
}

/**
 * Checks options before Ollama does, which answers a wrong type with status 500.
 * A fraction for a whole number is fine: Ollama cuts it off.
 *
 * @param options The options, `null` being the same as absent.
 * @param path Path of the object they stand in; empty for the request itself.
 * @param issues Where to note what is wrong.
 */
export function checkOptions(options: { readonly [name: string]: unknown }, path: string, issues: RequestIssues): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    const own = path === "" ? name : `${path}.${name}`;
    switch (OPTION_KINDS.get(name)) {
      case "whole":
      case "number":
        if (typeof value !== "number" || !Number.isFinite(value)) {
          issues.add({ path: own, message: `must be a number, but is ${kindOf(value)}` });
        } else if (name === "num_predict" && Math.trunc(value) === 0) {
          issues.addUnsupported(own, NO_TOKENS);
        }
        break;
      case "boolean":
        if (typeof value !== "boolean") {
          issues.add({ path: own, message: `must be true or false, but is ${kindOf(value)}` });
        }
        break;
      case "texts":
        if (!Array.isArray(value) || value.some((text) => typeof text !== "string")) {
          issues.add({ path: own, message: `must be an array of strings, but is ${kindOf(value)}` });
        }
        break;
    }
  }
}

const NO_TOKENS = "must not be 0, since Ollama cannot answer with no tokens: it would answer without a limit";

/** Names the kind of a value without its content. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Options to send, and the names among them that Ollama does not act on. */
export interface CollectedOptions {
  /** The options; absent if there are none, so that the Modelfile's hold. */
  readonly options?: { readonly [name: string]: unknown };
  /** Paths of given options that Ollama is known to ignore or that are unknown. */
  readonly ignored: readonly string[];
}

/**
 * Puts the options together. Later wins: the model's defaults, OpenAI's parameters, options at the top level of the
 * request, the request's `options`.
 *
 * @param params The request's parameters.
 * @param defaults The model's own options, already checked.
 * @param issues Where to note what is wrong.
 * @returns The options to send.
 */
export function collectOptions(params: ChatParams, defaults: OllamaOptions, issues: RequestIssues): CollectedOptions {
  const options: { [name: string]: unknown } = { ...defaults };
  const ignored: string[] = [];
  const limit = params.max_completion_tokens ?? params.max_tokens;
  if (limit === 0) {
    issues.addUnsupported(params.max_completion_tokens === 0 ? "max_completion_tokens" : "max_tokens", NO_TOKENS);
  }
  const stop = typeof params.stop === "string" ? [params.stop] : params.stop;
  // An empty list would erase the Modelfile's stop texts, and no OpenAI client means that.
  const stopTexts = stop?.filter((text) => text !== "") ?? [];
  const seed = params.seed ?? customSeed(params, issues);
  if (limit !== undefined) options.num_predict = limit;
  if (params.temperature !== undefined) options.temperature = params.temperature;
  if (params.top_p !== undefined) options.top_p = params.top_p;
  if (params.top_k !== undefined) options.top_k = params.top_k;
  if (params.min_p !== undefined) options.min_p = params.min_p;
  if (stopTexts.length > 0) options.stop = stopTexts;
  if (seed !== undefined) options.seed = seed;
  if (params.presence_penalty !== undefined) options.presence_penalty = params.presence_penalty;
  if (params.frequency_penalty !== undefined) options.frequency_penalty = params.frequency_penalty;
  if (params.extra !== undefined) takeExtra(params.extra, { options, ignored, issues });
  return Object.keys(options).length === 0 ? { ignored } : { options, ignored };
}

function takeExtra(
  extra: { readonly [field: string]: unknown },
  into: { options: { [name: string]: unknown }; ignored: string[]; issues: RequestIssues },
): void {
  const { options, ignored, issues } = into;
  const topLevel = Object.entries(extra).filter(([name, value]) => isOllamaOption(name) && present(value));
  checkOptions(Object.fromEntries(topLevel), "", issues);
  for (const [name, value] of topLevel) {
    options[name] = value;
    if (OPTION_KINDS.get(name) === "gone") ignored.push(name);
  }
  if (!present(extra.options)) return;
  if (!isRecord(extra.options)) {
    issues.add({ path: "options", message: `must be an object, but is ${kindOf(extra.options)}` });
    return;
  }
  checkOptions(extra.options, "options", issues);
  for (const [name, value] of Object.entries(extra.options)) {
    if (!present(value) || name === "__proto__") continue;
    options[name] = value;
    const kind = OPTION_KINDS.get(name);
    if (kind === undefined || kind === "gone") ignored.push(`options.${name}`);
  }
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** MLflow's tutorial for Ollama hands the seed over as text in `custom_inputs`. */
function customSeed(params: ChatParams, issues: RequestIssues): number | undefined {
  const seed = params.custom_inputs?.seed;
  if (seed === undefined || seed === null) return undefined;
  const number = typeof seed === "number"
    ? seed
    : typeof seed === "string" && /^\s*[+-]?\d+\s*$/.test(seed)
    ? Number(seed)
    : NaN;
  if (Number.isSafeInteger(number)) return number;
  issues.add({ path: "custom_inputs.seed", message: "must be a whole number, or one as text" });
  return undefined;
}
