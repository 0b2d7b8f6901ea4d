import type { ChatCompletionChunk, ChatCompletionResponse, FinishReason } from "../types/mod.ts";
import { Accumulator } from "./accumulate.ts";
import { optionalFinishReason, optionalUsage } from "./_checks.ts";
import { createId } from "./_ids.ts";
import { type NormaliseOptions, Normaliser } from "./_normaliser.ts";

/**
 * Fills up what `predict` returned to a whole response, by the same rules as `normalise`.
 *
 * @throws {ChatModelError} If it cannot be understood.
 */
export function complete(result: unknown, options: NormaliseOptions): ChatCompletionResponse {
  if (typeof result === "string") return textResponse(result, options);
  if (isPlainPart(result)) {
    // What models on the hot path return: spared the way through chunks and back.
    const response = textResponse(result.content, options, optionalFinishReason(result.finish_reason, "finish_reason"));
    const usage = optionalUsage(result.usage, "usage");
    if (usage !== undefined) response.usage = usage;
    if (result.custom_outputs !== undefined) response.custom_outputs = result.custom_outputs;
    return response;
  }
  const chunks: ChatCompletionChunk[] = [];
  const normaliser = new Normaliser(options);
  normaliser.push(result, chunks);
  normaliser.end(chunks);
  const accumulator = new Accumulator();
  for (const chunk of chunks) accumulator.add(chunk);
  return accumulator.response();
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface PlainPart {
  readonly content: string;
  readonly finish_reason?: unknown;
  readonly usage?: unknown;
  readonly custom_outputs?: { readonly [key: string]: unknown };
}

function isPlainPart(value: unknown): value is PlainPart {
  if (typeof value !== "object" || value === null || !("content" in value) || typeof value.content !== "string") {
    return false;
  }
  for (const key in value) {
    switch (key) {
      case "content":
      case "finish_reason":
      case "usage":
        break;
      case "custom_outputs":
        if (
          !("custom_outputs" in value) || typeof value.custom_outputs !== "object" || value.custom_outputs === null ||
          Array.isArray(value.custom_outputs)
        ) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}

function textResponse(
  content: string,
  options: NormaliseOptions,
  finishReason: FinishReason = "stop",
): Mutable<ChatCompletionResponse> {
  return {
    id: options.id ?? createId("chatcmpl-"),
    object: "chat.completion",
    created: options.created ?? Math.floor(Date.now() / 1000),
    model: options.model ?? "",
    choices: [{
      index: 0,
      message: { role: "assistant", content, refusal: null },
      logprobs: null,
      finish_reason: finishReason,
    }],
  };
}
