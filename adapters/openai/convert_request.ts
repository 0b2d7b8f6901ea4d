import type { ChatMessage, ChatParams } from "../../types/mod.ts";
import type { OpenAIChatRequest } from "./wire.ts";

/** What a request becomes beside what the caller set. */
export interface RequestSetup {
  /** Name of the model, as the server knows it. */
  readonly model: string;
  /** Parameters for what the caller did not set. */
  readonly defaults: ChatParams;
  /** Whether the answer is to be streamed, and then whether to ask for its usage. */
  readonly stream: false | { readonly usage: boolean };
}

/** Fields that say the same: one that the caller set leaves no room for a default of the other. */
const SAME: readonly (readonly (keyof ChatParams)[])[] = [
  ["max_tokens", "max_completion_tokens"],
  ["reasoning", "reasoning_effort"],
  ["tools", "functions"],
  ["tool_choice", "function_call"],
];

/**
 * Turns a request into the body of `POST /chat/completions`. Pure.
 *
 * Nothing is lost and nothing is added: messages and parameters as they are, fields that this package does not know
 * beside them, what is unset stays unset. Only whether to stream is decided here.
 *
 * @param messages The conversation.
 * @param params The parameters.
 * @param setup The model, its defaults, and how it is to answer.
 * @returns The body.
 */
export function convertRequest(
  messages: readonly ChatMessage[],
  params: ChatParams,
  { model, defaults, stream }: RequestSetup,
): OpenAIChatRequest {
  const { extra, stream: _, stream_options, ...rest } = mergeParams(defaults, params);
  const body = { ...extra, ...rest, model, messages };
  if (stream === false) return body;
  const options = { ...stream_options, ...(stream.usage && { include_usage: true }) };
  return { ...body, stream: true, ...(Object.keys(options).length > 0 && { stream_options: options }) };
}

/** What the caller set, and the defaults for what it did not. */
export function mergeParams(defaults: ChatParams, params: ChatParams): ChatParams {
  const { extra: defaultExtra, ...defaultParams } = withoutSet(defaults, params);
  const { extra, ...own } = params;
  return { ...defaultParams, ...own, extra: { ...defaultExtra, ...extra } };
}

function withoutSet(defaults: ChatParams, params: ChatParams): ChatParams {
  const dropped = new Set<string>();
  for (const names of SAME) {
    if (names.some((name) => params[name] !== undefined)) { for (const name of names) dropped.add(name); }
  }
  return dropped.size === 0
    ? defaults
    : Object.fromEntries(Object.entries(defaults).filter(([name]) => !dropped.has(name)));
}
