import {
  ChatModelError,
  type FinishReason,
  type Logprobs,
  type TokenLogprob,
  UpstreamError,
  type Usage,
} from "../types/mod.ts";

/** An object of which nothing is known. */
export type Fields = { readonly [key: string]: unknown };

const FINISH_REASONS: readonly FinishReason[] = ["stop", "length", "tool_calls", "content_filter", "function_call"];

/** Whether a value is an object that is not an array. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The error for output of a model that cannot be understood: its code is at fault, hence status 500. */
export function invalidOutput(path: string, expected: string, found: unknown): ChatModelError {
  return new ChatModelError(
    `Cannot read the model's output: ${path} must be ${expected}, but is ${describe(found)}`,
    { code: "invalid_model_output" },
  );
}

/** Names the kind of a value without its content, which may be private. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") {
    const keys = Object.keys(value);
    return keys.length === 0
      ? "an empty object"
      : `an object with ${keys.slice(0, 5).map((key) => `"${key}"`).join(", ")}`;
  }
  return typeof value === "number" ? `the number ${value}` : `a ${typeof value}`;
}

/** Reads text; absent and `null` give `undefined`. */
export function optionalText(value: unknown, path: string): string | undefined {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  throw invalidOutput(path, "a string", value);
}

/** Reads an object; absent and `null` give `undefined`. */
export function optionalFields(value: unknown, path: string): Fields | undefined {
  if (value === undefined || value === null) return undefined;
  if (isFields(value)) return value;
  throw invalidOutput(path, "an object", value);
}

/** Reads an array; absent and `null` give `undefined`. */
export function optionalList(value: unknown, path: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value;
  throw invalidOutput(path, "an array", value);
}

/** Reads a whole number from 0; absent and `null` give `undefined`. */
export function optionalCount(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidOutput(path, "a whole number from 0", value);
}

/** Reads text, or the text of text parts; absent and `null` give `undefined`. */
export function optionalContent(value: unknown, path: string): string | undefined {
  if (!Array.isArray(value)) return optionalText(value, path);
  return value.map((part: unknown, i) => {
    if (isFields(part) && part.type === "text" && typeof part.text === "string") return part.text;
    throw invalidOutput(`${path}.${i}`, "a text part", part);
  }).join("");
}

/** Reads why an answer ended; absent, `null` and "" (which some servers send midway) give `undefined`. */
export function optionalFinishReason(value: unknown, path: string): FinishReason | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const reason = FINISH_REASONS.find((reason) => reason === value);
  if (reason === undefined) {
    throw invalidOutput(path, `one of ${FINISH_REASONS.map((reason) => `"${reason}"`).join(", ")}`, value);
  }
  return reason;
}

/**
 * Reads usage. The total is always the sum, as clients assert it; a total that an upstream counted otherwise is
 * replaced.
 */
export function optionalUsage(value: unknown, path: string): Usage | undefined {
  const fields = optionalFields(value, path);
  if (fields === undefined) return undefined;
  const promptTokens = optionalCount(fields.prompt_tokens, `${path}.prompt_tokens`);
  const completionTokens = optionalCount(fields.completion_tokens, `${path}.completion_tokens`);
  if (promptTokens === undefined || completionTokens === undefined) {
    const missing = promptTokens === undefined ? "prompt_tokens" : "completion_tokens";
    throw invalidOutput(`${path}.${missing}`, "a whole number from 0", fields[missing]);
  }
  const usage: { -readonly [K in keyof Usage]: Usage[K] } = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
  const promptDetails = optionalFields(fields.prompt_tokens_details, `${path}.prompt_tokens_details`);
  if (promptDetails !== undefined) usage.prompt_tokens_details = promptDetails;
  const completionDetails = optionalFields(fields.completion_tokens_details, `${path}.completion_tokens_details`);
  if (completionDetails !== undefined) usage.completion_tokens_details = completionDetails;
  return usage;
}

/** Reads log probabilities, filling in what authors may leave out; absent and `null` give `undefined`. */
export function optionalLogprobs(value: unknown, path: string): Logprobs | undefined {
  const fields = optionalFields(value, path);
  if (fields === undefined) return undefined;
  return {
    content: tokenLogprobs(fields.content, `${path}.content`),
    refusal: tokenLogprobs(fields.refusal, `${path}.refusal`),
  };
}

function tokenLogprobs(value: unknown, path: string): TokenLogprob[] | null {
  const list = optionalList(value, path);
  if (list === undefined) return null;
  return list.map((entry, i) => {
    const own = tokenLogprob(entry, `${path}.${i}`);
    const top = isFields(entry) ? optionalList(entry.top_logprobs, `${path}.${i}.top_logprobs`) : undefined;
    return {
      ...own,
      top_logprobs: top?.map((other, j) => tokenLogprob(other, `${path}.${i}.top_logprobs.${j}`)) ?? [],
    };
  });
}

function tokenLogprob(value: unknown, path: string): { token: string; logprob: number; bytes: number[] | null } {
  if (!isFields(value) || typeof value.token !== "string") throw invalidOutput(path, "an object with a token", value);
  if (typeof value.logprob !== "number" || !Number.isFinite(value.logprob)) {
    throw invalidOutput(`${path}.logprob`, "a finite number", value.logprob);
  }
  const bytes = optionalList(value.bytes, `${path}.bytes`);
  return {
    token: value.token,
    logprob: value.logprob,
    bytes: bytes?.map((byte, i) => {
      if (typeof byte === "number" && Number.isInteger(byte) && byte >= 0 && byte <= 255) return byte;
      throw invalidOutput(`${path}.bytes.${i}`, "a byte", byte);
    }) ?? null,
  };
}

/** The error for an `error` that an upstream put where its answer should be. */
export function errorInside(value: unknown): UpstreamError {
  const message = typeof value === "string"
    ? value
    : isFields(value) && typeof value.message === "string"
    ? value.message
    : undefined;
  return new UpstreamError(`Cannot finish the answer: the model reported an error${message ? `: ${message}` : ""}`, {
    cause: value,
  });
}
