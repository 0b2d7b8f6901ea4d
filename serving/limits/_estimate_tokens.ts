import type { ChatMessage, ChatRequest } from "../../types/mod.ts";

/** Options for {@linkcode estimateTokens}. */
export interface EstimateTokensOptions {
  /** Tokens that one answer is taken to have if the request sets no limit. @default {512} */
  readonly defaultAnswerTokens?: number;
}

/** What a message costs beside its text, in tokens. */
const MESSAGE_TOKENS = 4;
/** What an image costs, in tokens: about what OpenAI's models take for a large one. */
const IMAGE_TOKENS = 1000;
/** Characters of base64 in a second of sound are 20 000 and more, which OpenAI's models take 10 tokens for. */
const AUDIO_CHARACTERS_PER_TOKEN = 1000;
/** Most of a document's bytes are no text. */
const FILE_CHARACTERS_PER_TOKEN = 16;

/**
 * Estimates how many tokens a request will use, before anything has counted them: to be reserved, and settled with the
 * real usage in the end. It is meant to be rather too high than too low.
 *
 * Text counts a token for each four characters of ASCII, and one for each other UTF-16 unit: tokenizers need about one
 * for a character of Chinese, Japanese or Korean, fewer for accents and Cyrillic, two for an emoji. Each message counts
 * four more, an image 1000, sound and files by their size. Tools and schemas count as their JSON. The answer counts as
 * `max_completion_tokens` or `max_tokens` allows, times `n`.
 *
 * @param request The request.
 * @param options What to take for an answer without a limit.
 * @returns Tokens of the prompt and all answers: a whole number.
 */
export function estimateTokens(request: ChatRequest, options: EstimateTokensOptions = {}): number {
  const { defaultAnswerTokens = 512 } = options;
  const { params } = request;
  const answer = params.max_completion_tokens ?? params.max_tokens ?? defaultAnswerTokens;
  return estimatePromptTokens(request) + answer * (params.n ?? 1);
}

/**
 * Estimates how many tokens a request has by itself, as {@linkcode estimateTokens} does.
 *
 * @param request The request.
 * @returns Tokens of the prompt: a whole number.
 */
export function estimatePromptTokens({ messages, params }: ChatRequest): number {
  let tokens = 0;
  for (const message of messages) tokens += messageTokens(message);
  for (const part of [params.tools, params.functions, params.response_format]) {
    if (part !== undefined) tokens += textTokens(JSON.stringify(part));
  }
  return Math.ceil(tokens);
}

/**
 * Estimates how many tokens texts have.
 *
 * @param texts The texts.
 * @returns Tokens of all of them together: a whole number.
 */
export function estimateTextTokens(texts: readonly string[]): number {
  return Math.ceil(texts.reduce((sum, text) => sum + textTokens(text), 0));
}

/**
 * Estimates how many tokens a text has, as {@linkcode estimateTextTokens} does for one.
 *
 * @param text The text.
 * @returns Its tokens: a whole number.
 */
export function estimatePieceTokens(text: string): number {
  return Math.ceil(textTokens(text));
}

function messageTokens(message: ChatMessage): number {
  let tokens = MESSAGE_TOKENS + textTokens(message.name);
  if (message.role === "assistant") {
    tokens += textTokens(message.refusal) + textTokens(message.reasoning ?? message.reasoning_content);
    for (const call of message.tool_calls ?? []) {
      tokens += call.type === "function"
        ? textTokens(call.function.name) + textTokens(call.function.arguments)
        : textTokens(call.custom.name) + textTokens(call.custom.input);
    }
    const call = message.function_call;
    if (call !== undefined) tokens += textTokens(call.name) + textTokens(call.arguments);
  }
  const { content } = message;
  if (typeof content === "string") return tokens + textTokens(content);
  for (const part of content ?? []) tokens += partTokens(part);
  return tokens;
}

type ContentPart = Exclude<ChatMessage["content"], string | undefined>[number];

function partTokens(part: ContentPart): number {
  switch (part.type) {
    case "text":
      return textTokens(part.text);
    case "refusal":
      return textTokens(part.refusal);
    case "image_url":
      return IMAGE_TOKENS;
    case "input_audio":
      return part.input_audio.data.length / AUDIO_CHARACTERS_PER_TOKEN;
    case "file":
      // A file that is kept elsewhere is of unknown size.
      return part.file.file_data === undefined ? IMAGE_TOKENS : part.file.file_data.length / FILE_CHARACTERS_PER_TOKEN;
  }
}

/** Without rounding, so that many short texts do not count more than one long one. */
function textTokens(text: string | undefined): number {
  if (text === undefined) return 0;
  const { length } = text;
  let others = 0;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 127) others++;
  return (length - others) / 4 + others;
}
