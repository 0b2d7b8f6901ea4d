import {
  type ChatChoice,
  type ChatCompletionChunk,
  type ChatCompletionResponse,
  ChatModelError,
  type FinishReason,
  type FunctionCall,
  type Logprobs,
  type ResponseMessage,
  type TokenLogprob,
  type ToolCall,
  type ToolCallDelta,
  type Usage,
} from "../types/mod.ts";

/**
 * Puts the chunks of a canonical stream together to the response they stand for.
 *
 * @example Usage
 * ```ts
 * import { accumulate, normalise } from "@chatmodel/chat-model/streaming";
 * import { assertEquals } from "@std/assert";
 *
 * const response = await accumulate(normalise(["Hel", "lo"]));
 * assertEquals(response.choices[0]?.message.content, "Hello");
 * ```
 *
 * @param chunks A canonical stream, such as `normalise` and `predictStream` give.
 * @returns The response.
 * @throws {ChatModelError} If the stream is not canonical: without chunks, or with an answer that never ended.
 */
export async function accumulate(
  chunks: AsyncIterable<ChatCompletionChunk> | Iterable<ChatCompletionChunk>,
): Promise<ChatCompletionResponse> {
  const accumulator = new Accumulator();
  for await (const chunk of chunks) accumulator.add(chunk);
  return accumulator.response();
}

interface OpenToolCall {
  readonly id: string;
  readonly type: "function" | "custom";
  readonly name: string;
  text: string;
}

interface OpenChoice {
  content: string | null;
  refusal: string | null;
  reasoning: string;
  readonly toolCalls: OpenToolCall[];
  functionCall: { name: string; arguments: string } | undefined;
  annotations: NonNullable<ResponseMessage["annotations"]>[number][];
  audio: ResponseMessage["audio"];
  /** Members that this package does not know. */
  rest: Record<string, unknown> | undefined;
  logprobs: { content: TokenLogprob[] | null; refusal: TokenLogprob[] | null } | undefined;
  finishReason: FinishReason | undefined;
}

/** Puts chunks together one by one; {@linkcode accumulate} in steps. */
export class Accumulator {
  readonly #choices = new Map<number, OpenChoice>();
  #last: ChatCompletionChunk | undefined;
  #usage: Usage | undefined;
  #customOutputs: ChatCompletionResponse["custom_outputs"];

  /**
   * Takes the next chunk.
   *
   * @param chunk The chunk.
   */
  add(chunk: ChatCompletionChunk): void {
    this.#last = chunk;
    if (chunk.usage) this.#usage = chunk.usage;
    if (chunk.custom_outputs) this.#customOutputs = { ...this.#customOutputs, ...chunk.custom_outputs };
    for (const { index, delta, logprobs, finish_reason } of chunk.choices) {
      let choice = this.#choices.get(index);
      if (choice === undefined) this.#choices.set(index, choice = openChoice());
      if (finish_reason !== null) choice.finishReason = finish_reason;
      if (logprobs !== null) addLogprobs(choice, logprobs);
      for (const [key, value] of Object.entries(delta)) {
        switch (key) {
          case "role":
          case "reasoning_content": // The same text as `reasoning`.
            break;
          case "content":
            if (delta.content) choice.content = (choice.content ?? "") + delta.content;
            break;
          case "refusal":
            if (delta.refusal) choice.refusal = (choice.refusal ?? "") + delta.refusal;
            break;
          case "reasoning":
            choice.reasoning += delta.reasoning ?? "";
            break;
          case "tool_calls":
            for (const call of delta.tool_calls ?? []) addToolCall(choice.toolCalls, call);
            break;
          case "function_call":
            choice.functionCall = {
              name: choice.functionCall?.name ?? delta.function_call?.name ?? "",
              arguments: (choice.functionCall?.arguments ?? "") + (delta.function_call?.arguments ?? ""),
            };
            break;
          case "annotations":
            choice.annotations.push(...delta.annotations ?? []);
            break;
          case "audio":
            choice.audio = { ...choice.audio, ...delta.audio };
            break;
          default:
            choice.rest = { ...choice.rest, ...Object.fromEntries([[key, value]]) };
        }
      }
    }
  }

  /**
   * Gives the response.
   *
   * @returns The response.
   * @throws {ChatModelError} If there was no chunk, or an answer has not ended.
   */
  response(): ChatCompletionResponse {
    const last = this.#last;
    if (last === undefined) throw notCanonical("it has no chunk");
    const choices = [...this.#choices].sort(([a], [b]) => a - b).map(([index, choice]) => closeChoice(index, choice));
    return {
      id: last.id,
      object: "chat.completion",
      created: last.created,
      model: last.model,
      choices,
      ...(this.#usage !== undefined && { usage: this.#usage }),
      ...(last.system_fingerprint !== undefined && { system_fingerprint: last.system_fingerprint }),
      ...(last.service_tier !== undefined && { service_tier: last.service_tier }),
      ...(this.#customOutputs !== undefined && { custom_outputs: this.#customOutputs }),
    };
  }
}

function notCanonical(reason: string): ChatModelError {
  return new ChatModelError(`Cannot put a stream together: ${reason}`, { code: "invalid_stream" });
}

function openChoice(): OpenChoice {
  return {
    content: null,
    refusal: null,
    reasoning: "",
    toolCalls: [],
    functionCall: undefined,
    annotations: [],
    audio: undefined,
    rest: undefined,
    logprobs: undefined,
    finishReason: undefined,
  };
}

function closeChoice(index: number, choice: OpenChoice): ChatChoice {
  if (choice.finishReason === undefined) throw notCanonical(`choice ${index} has no finish_reason`);
  const { toolCalls, functionCall, refusal, audio } = choice;
  // As OpenAI: no text beside calls, a refusal or sound is `null`; else an answer without text is empty text.
  const without = toolCalls.length > 0 || functionCall !== undefined || refusal !== null || audio !== undefined;
  const message: ResponseMessage = {
    role: "assistant",
    content: choice.content ?? (without ? null : ""),
    refusal,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(closeToolCall) }),
    ...(functionCall !== undefined && { function_call: functionCall satisfies FunctionCall }),
    ...(choice.reasoning !== "" && { reasoning: choice.reasoning, reasoning_content: choice.reasoning }),
    ...(choice.annotations.length > 0 && { annotations: choice.annotations }),
    ...(audio !== undefined && { audio }),
    ...choice.rest,
  };
  return { index, message, logprobs: choice.logprobs ?? null, finish_reason: choice.finishReason };
}

function addLogprobs(choice: OpenChoice, logprobs: Logprobs): void {
  const known = choice.logprobs ??= { content: null, refusal: null };
  if (logprobs.content) (known.content ??= []).push(...logprobs.content);
  if (logprobs.refusal) (known.refusal ??= []).push(...logprobs.refusal);
}

function addToolCall(calls: OpenToolCall[], delta: ToolCallDelta): void {
  const known = calls[delta.index];
  if (known === undefined) {
    calls[delta.index] = {
      id: delta.id ?? "",
      type: delta.custom ? "custom" : "function",
      name: delta.function?.name ?? delta.custom?.name ?? "",
      text: delta.function?.arguments ?? delta.custom?.input ?? "",
    };
  } else {
    known.text += delta.function?.arguments ?? delta.custom?.input ?? "";
  }
}

function closeToolCall({ id, type, name, text }: OpenToolCall): ToolCall {
  return type === "custom"
    ? { id, type, custom: { name, input: text } }
    : { id, type, function: { name, arguments: text } };
}
