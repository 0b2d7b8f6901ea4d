/** What the tests of the demo model share. */
import { assert } from "@std/assert";
import { ModelConfig } from "../../../mod.ts";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import type { AnswerPart, PartialResponse, PredictPart, ToolCallPart } from "../../../streaming/mod.ts";
import type { ChatMessage, ChatParams, ToolDefinition } from "../../../types/mod.ts";
import { NO_SPAN } from "../../../call_observer.ts";

export const model = new DemoChatModel();

export const context = {
  signal: new AbortController().signal,
  requestId: "test",
  artifacts: {},
  modelConfig: new ModelConfig(),
  span: NO_SPAN,
};

export function user(content: string): ChatMessage[] {
  return [{ role: "user", content }];
}

export function isResponse(value: object): value is PartialResponse {
  return "choices" in value;
}

/** The one answer of a request without `n`. */
export function answer(messages: readonly ChatMessage[], params: ChatParams = {}): AnswerPart {
  const result = model.predict(context, messages, params);
  assert(typeof result === "object" && !(result instanceof Promise) && !isResponse(result));
  return result;
}

export function response(messages: readonly ChatMessage[], params: ChatParams): PartialResponse {
  const result = model.predict(context, messages, params);
  assert(typeof result === "object" && !(result instanceof Promise) && isResponse(result));
  return result;
}

export function parts(messages: readonly ChatMessage[], params: ChatParams = {}): PredictPart[] {
  const stream = model.predictStream(context, messages, params);
  assert(Symbol.iterator in stream);
  return [...stream];
}

/** Puts a stream together by the plain rules: texts are joined, the last of everything else counts. */
export function joined(stream: readonly PredictPart[], index = 0): AnswerPart {
  let result: AnswerPart = {};
  const calls: ToolCallPart[] = [];
  for (const part of stream) {
    const piece: AnswerPart = typeof part === "string" ? { content: part } : "choices" in part ? {} : part;
    if ((piece.index ?? 0) !== index) continue;
    for (const key of ["content", "reasoning"] as const) {
      if (piece[key] != null) result = { ...result, [key]: (result[key] ?? "") + piece[key] };
    }
    for (const call of piece.tool_calls ?? []) {
      const last = calls.at(-1);
      if (call.function?.name || call.custom?.name) calls.push(call);
      else if (last?.function) {
        const text = `${last.function.arguments}${call.function?.arguments}`;
        calls[calls.length - 1] = { ...last, function: { ...last.function, arguments: text } };
      } else if (last?.custom) {
        const text = `${last.custom.input}${call.custom?.input}`;
        calls[calls.length - 1] = { ...last, custom: { ...last.custom, input: text } };
      }
    }
    if (piece.function_call) {
      const before = result.function_call;
      result = {
        ...result,
        function_call: {
          name: before?.name ?? piece.function_call.name ?? "",
          arguments: (before?.arguments ?? "") + piece.function_call.arguments,
        },
      };
    }
    if (piece.logprobs) {
      result = {
        ...result,
        logprobs: { content: [...result.logprobs?.content ?? [], ...piece.logprobs.content ?? []] },
      };
    }
    for (const key of ["finish_reason", "usage", "custom_outputs"] as const) {
      if (piece[key] != null) result = { ...result, [key]: piece[key] };
    }
  }
  return calls.length === 0 ? result : { ...result, tool_calls: calls };
}

/** What must be alike in a whole and a streamed answer; absent and empty texts are alike. */
export function comparable(answer: AnswerPart): unknown {
  const { content, logprobs, ...rest } = answer;
  return JSON.parse(JSON.stringify({
    content: content ?? "",
    logprobs: logprobs?.content ?? [],
    ...Object.fromEntries(Object.entries(rest).sort(([one], [other]) => one < other ? -1 : 1)),
  }));
}

export function tool(name: string, parameters?: { readonly [keyword: string]: unknown }): ToolDefinition {
  return { type: "function", function: { name, ...(parameters && { parameters }) } };
}

export function calls(prompt: string, params: ChatParams): unknown[] {
  return (answer(user(prompt), params).tool_calls ?? []).map((call) => [
    call.function?.name ?? call.custom?.name,
    call.function ? JSON.parse(String(call.function.arguments)) : call.custom?.input,
  ]);
}

export const magicFunction = tool("magic_function", {
  type: "object",
  properties: { input: { type: "integer" } },
  required: ["input"],
});

export const weather = tool("get_weather", {
  type: "object",
  properties: { location: { type: "string" }, unit: { enum: ["celsius", "fahrenheit"] } },
  required: ["location"],
});

export const now = tool("now");

export const tools = [magicFunction, weather, now];
