import { ChatModel, type ModelContext } from "../../chat_model.ts";
import type {
  AnswerPart,
  EmbedResult,
  PartialLogprobs,
  PartialResponse,
  PartialUsage,
  PredictPart,
  PredictResult,
  ToolCallPart,
} from "../../streaming/mod.ts";
import { type ChatMessage, ChatModelError, type ChatParams, type EmbeddingParams } from "../../types/mod.ts";
import { type DemoAnswer, makeAnswer } from "./answer.ts";
import { countPromptWords } from "./conversation.ts";
import { toTokenLogprob } from "./logprobs.ts";
import type { DemoCall } from "./tool_calls.ts";
import { toVector } from "./vectors.ts";
import { countWords, splitWords } from "./words.ts";

/** Options for {@linkcode DemoChatModel}. */
export interface DemoChatModelOptions {
  /** Milliseconds to wait before each word, for trying out slow answers; 0 to 2,147,483,647. @default {0} */
  readonly delay?: number;
}

/**
 * A model that does not think: it says what it is and echoes what it was told. Deterministic, without network or
 * permissions, and good enough to develop clients against.
 *
 * - Tokens are words. `max_completion_tokens`, `max_tokens`, `stop`, `n`, `seed` (chooses a closing phrase), `logprobs`
 *   and `top_logprobs` (invented) and reasoning effort (one sentence) are honoured; `custom_inputs` come back in
 *   `custom_outputs.demo`.
 * - Tools are called with arguments made from their JSON Schema: quoted texts, numbers, `name = value` pairs and calls
 *   such as `add(1, 2)` in the user's last message come first. With `tool_choice` `auto` the tools are called whose
 *   names that message mentions, or else all. After the tools' messages it quotes their results.
 * - `response_format` `json_schema` is filled the same way; `json_object` gives `{"echo": …}`, or the keys that the
 *   message asks for in quotation marks.
 * - Vectors of texts are made of their words' hashes: texts with words in common are near each other.
 */
export class DemoChatModel extends ChatModel {
  /** Name that answers carry. */
  override readonly name = "demo";
  readonly #delay: number;

  /**
   * Makes a demo model.
   *
   * @param options How it behaves.
   * @throws {ChatModelError} If the delay is out of range; `code` `invalid_option`.
   */
  constructor(options: DemoChatModelOptions = {}) {
    super();
    const { delay = 0 } = options;
    if (!(delay >= 0 && delay <= 2_147_483_647)) {
      throw new ChatModelError(
        `Cannot make a demo model as "delay" must lie between 0 and 2147483647 milliseconds: current value is ${delay}`,
        { code: "invalid_option" },
      );
    }
    this.#delay = delay;
  }

  /**
   * Answers at once, or after the delay of all words.
   *
   * @param context The call's surroundings; its signal ends the wait.
   * @param messages The conversation.
   * @param params How to answer.
   * @returns The answer; a response if there are several.
   * @throws {ValidationError} If `tool_choice` demands a tool that is not offered.
   */
  override predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): PredictResult | Promise<PredictResult> {
    if (this.#delay > 0) return this.#predictSlowly(context, messages, params);
    return toResult(messages, params);
  }

  /**
   * Answers word by word.
   *
   * @param context The call's surroundings; its signal ends the waits between the words.
   * @param messages The conversation.
   * @param params How to answer.
   * @returns The pieces: synchronously if there is no delay.
   * @throws {ValidationError} If `tool_choice` demands a tool that is not offered.
   */
  override predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncIterable<PredictPart> | Iterable<PredictPart> {
    return this.#delay > 0 ? this.#streamSlowly(context, messages, params) : streamParts(messages, params);
  }

  /**
   * Makes vectors: texts with words in common are near each other. At once, or after the delay of all texts.
   *
   * @param context The call's surroundings; its signal ends the wait.
   * @param input The texts.
   * @param params How to make them: `dimensions`, at most 4096, 64 by default.
   * @returns Vectors of unit length, and how many words there were.
   * @throws {ValidationError} If the vectors would be too long.
   */
  override embed(
    context: ModelContext,
    input: readonly string[],
    params: EmbeddingParams,
  ): EmbedResult | Promise<EmbedResult> {
    if (this.#delay > 0) return this.#embedSlowly(context, input, params);
    return toVectors(input, params);
  }

  async #embedSlowly(
    context: ModelContext,
    input: readonly string[],
    params: EmbeddingParams,
  ): Promise<EmbedResult> {
    for (const _ of input) await wait(this.#delay, context.signal);
    return toVectors(input, params);
  }

  async #predictSlowly(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): Promise<PredictResult> {
    for (const _ of streamParts(messages, params)) await wait(this.#delay, context.signal);
    return toResult(messages, params);
  }

  async *#streamSlowly(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart> {
    for (const part of streamParts(messages, params)) {
      await wait(this.#delay, context.signal);
      yield part;
    }
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function toVectors(input: readonly string[], { dimensions }: EmbeddingParams): EmbedResult {
  return {
    embeddings: input.map((text) => toVector(text, dimensions)),
    usage: { prompt_tokens: input.reduce((sum, text) => sum + countWords(text), 0) },
  };
}

function toResult(messages: readonly ChatMessage[], params: ChatParams): AnswerPart | PartialResponse {
  const first = makeAnswer(messages, params, 0);
  if (params.n === undefined || params.n <= 1) {
    const usage = toUsage(messages, [first]);
    if (isPlain(first, params)) return { content: first.content, finish_reason: first.finishReason, usage };
    return { ...toMessage(first), ...toEnd(first, params), ...toOutputs(params), usage };
  }
  const answers = makeAnswers(first, messages, params);
  return {
    choices: answers.map((answer, index) => ({ index, message: toMessage(answer), ...toEnd(answer, params) })),
    usage: toUsage(messages, answers),
    ...toOutputs(params),
  };
}

/** Whether there is nothing but text: the frequent case, answered without detours. */
function isPlain(answer: DemoAnswer, params: ChatParams): boolean {
  return answer.calls.length === 0 && answer.reasoning === "" && params.logprobs !== true &&
    params.custom_inputs === undefined;
}

function makeAnswers(first: DemoAnswer, messages: readonly ChatMessage[], params: ChatParams): DemoAnswer[] {
  const answers = [first];
  for (let index = 1; index < (params.n ?? 1); index++) {
    // Calls are the same in every answer.
    answers.push(first.content === null ? first : makeAnswer(messages, params, index));
  }
  return answers;
}

function toMessage(answer: DemoAnswer): AnswerPart {
  const { reasoning, content, calls } = answer;
  if (reasoning === "" && calls.length === 0) return { content };
  const message: AnswerPart = reasoning === "" ? { content } : { reasoning, content };
  const [call] = calls;
  if (call === undefined) return message;
  return call.kind === "legacy"
    ? { ...message, function_call: { name: call.name, arguments: call.input } }
    : { ...message, tool_calls: calls.map((call) => toToolCall(call, call.input)) };
}

function toToolCall(call: DemoCall, input: string): ToolCallPart {
  return call.kind === "custom"
    ? { type: "custom", custom: { name: call.name, input } }
    : { type: "function", function: { name: call.name, arguments: input } };
}

function toEnd(answer: DemoAnswer, params: ChatParams): Pick<AnswerPart, "finish_reason" | "logprobs"> {
  const { finishReason, content } = answer;
  if (params.logprobs !== true || content === null) return { finish_reason: finishReason };
  return { finish_reason: finishReason, logprobs: toLogprobs(splitWords(content), params) };
}

function toLogprobs(tokens: readonly string[], params: ChatParams): PartialLogprobs {
  return { content: tokens.map((token) => toTokenLogprob(token, params.top_logprobs ?? 0)) };
}

function toOutputs(params: ChatParams): Pick<AnswerPart, "custom_outputs"> {
  const { custom_inputs } = params;
  return custom_inputs === undefined ? {} : { custom_outputs: { demo: { custom_inputs } } };
}

function toUsage(messages: readonly ChatMessage[], answers: readonly DemoAnswer[]): PartialUsage {
  let completion_tokens = 0;
  let reasoning_tokens = 0;
  for (const answer of answers) {
    completion_tokens += answer.tokens;
    reasoning_tokens += answer.reasoningTokens;
  }
  const usage: PartialUsage = { prompt_tokens: countPromptWords(messages), completion_tokens };
  return reasoning_tokens === 0 ? usage : { ...usage, completion_tokens_details: { reasoning_tokens } };
}

function* streamParts(messages: readonly ChatMessage[], params: ChatParams): Generator<PredictPart, void, void> {
  const first = makeAnswer(messages, params, 0);
  const answers = makeAnswers(first, messages, params);
  for (const [index, answer] of answers.entries()) {
    const { reasoning, content, calls, finishReason } = answer;
    for (const piece of splitWords(reasoning)) yield { index, reasoning: piece };
    for (const call of calls) yield* streamCall(call, index);
    for (const piece of splitWords(content ?? "")) {
      if (params.logprobs === true) yield { index, content: piece, logprobs: toLogprobs([piece], params) };
      else if (index === 0) yield piece;
      else yield { index, content: piece };
    }
    const end: AnswerPart = { index, finish_reason: finishReason };
    yield index < answers.length - 1 ? end : { ...end, ...toOutputs(params), usage: toUsage(messages, answers) };
  }
}

/** The call's name first, then its arguments in fragments, as real models send them. */
function* streamCall(call: DemoCall, index: number): Generator<AnswerPart, void, void> {
  const fragments = splitWords(call.input);
  if (call.kind === "legacy") {
    yield { index, function_call: { name: call.name, arguments: "" } };
    for (const fragment of fragments) yield { index, function_call: { arguments: fragment } };
    return;
  }
  yield { index, tool_calls: [toToolCall(call, "")] };
  for (const fragment of fragments) {
    const part: ToolCallPart = call.kind === "custom"
      ? { custom: { input: fragment } }
      : { function: { arguments: fragment } };
    yield { index, tool_calls: [part] };
  }
}
