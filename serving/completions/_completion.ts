/** What legacy completions look like. Pure. */
import {
  type ChatChoice,
  type ChatCompletionResponse,
  ChatModelError,
  type FinishReason,
  type TokenLogprob,
  type Usage,
} from "../../types/mod.ts";
import type { CompletionRequest } from "./_parse_request.ts";
import { sumUsage } from "./_usage.ts";

/** Log probabilities in the form of legacy completions: lists side by side. */
export interface TextLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly number[];
  /** Token → log probability, for each position; absent unless alternatives were asked for. */
  readonly top_logprobs?: readonly Readonly<Record<string, number>>[];
  /** Where each token begins, in characters from the text's beginning. */
  readonly text_offset: readonly number[];
}

/** An answer to a prompt, or a piece of one. */
export interface TextChoice {
  readonly text: string;
  readonly index: number;
  readonly logprobs: TextLogprobs | null;
  /** `null` in a piece that does not end the answer. */
  readonly finish_reason: "stop" | "length" | "content_filter" | null;
}

/** Answers to prompts, or a piece of them. */
export interface TextCompletion {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly TextChoice[];
  readonly usage?: Usage | null;
  readonly system_fingerprint?: string;
  readonly custom_outputs?: { readonly [key: string]: unknown };
}

/** Puts the answers to all prompts together. */
export function toCompletion(
  id: string,
  request: CompletionRequest,
  answers: readonly ChatCompletionResponse[],
): TextCompletion {
  const [first] = answers;
  if (first === undefined) throw new Error("There is at least one prompt, so there is an answer");
  const usage = sumUsage(answers.map(({ usage }) => usage));
  const outputs = joinOutputs(answers.map(({ custom_outputs }) => custom_outputs));
  return {
    id,
    object: "text_completion",
    created: first.created,
    model: first.model,
    choices: answers.flatMap(({ choices }, prompt) => choices.map((choice) => toTextChoice(choice, prompt, request))),
    ...(usage !== undefined && { usage }),
    ...(first.system_fingerprint !== undefined && { system_fingerprint: first.system_fingerprint }),
    ...(outputs !== undefined && { custom_outputs: outputs }),
  };
}

function toTextChoice(choice: ChatChoice, prompt: number, { prompts, echo, count }: CompletionRequest): TextChoice {
  const { index, message: { content, refusal, tool_calls, function_call }, logprobs, finish_reason } = choice;
  if (tool_calls !== undefined || function_call !== undefined) throw notText();
  const text = `${content ?? ""}${refusal ?? ""}`;
  return {
    text: echo ? `${prompts[prompt]}${text}` : text,
    index: indexOf(prompt, index, count),
    logprobs: logprobs?.content ? new OffsetCounter().convert(logprobs.content) : null,
    finish_reason: toFinishReason(finish_reason),
  };
}

/**
 * The index of an answer among those to all prompts.
 *
 * @throws {ChatModelError} If the model gave more answers than it was asked for, which would be taken for the next prompt's.
 */
export function indexOf(prompt: number, index: number, count: number): number {
  if (index < count) return prompt * count + index;
  throw new ChatModelError(`Cannot read the model's output: it gave more than the ${count} answers it was asked for`, {
    code: "invalid_model_output",
  });
}

/** There are no calls in a text, nor was the model offered any tools. */
export function notText(): ChatModelError {
  return new ChatModelError(
    "Cannot complete the prompt: the model calls a tool, which has no place in a text. Ask by POST /v1/chat/completions",
    { code: "invalid_model_output" },
  );
}

/** Why a text ended: of calls there are none. */
export function toFinishReason(reason: FinishReason): NonNullable<TextChoice["finish_reason"]> {
  return reason === "length" || reason === "content_filter" ? reason : "stop";
}

/** Further outputs: those of a single prompt as they are, of several under `prompts`. */
export function joinOutputs(
  all: readonly ChatCompletionResponse["custom_outputs"][],
): { readonly [key: string]: unknown } | undefined {
  if (all.every((outputs) => outputs === undefined)) return undefined;
  return all.length === 1 ? all[0] : { prompts: all.map((outputs) => outputs ?? null) };
}

/** Brings the log probabilities of one answer into lists, and counts where its tokens begin. */
export class OffsetCounter {
  #offset = 0;

  convert(logprobs: readonly TokenLogprob[]): TextLogprobs {
    const text_offset: number[] = [];
    for (const { token } of logprobs) {
      text_offset.push(this.#offset);
      for (const _ of token) this.#offset++;
    }
    return {
      tokens: logprobs.map(({ token }) => token),
      token_logprobs: logprobs.map(({ logprob }) => logprob),
      ...(logprobs.some(({ top_logprobs }) => top_logprobs.length > 0) && {
        top_logprobs: logprobs.map(({ top_logprobs }) =>
          Object.fromEntries(top_logprobs.map(({ token, logprob }) => [token, logprob]))
        ),
      }),
      text_offset,
    };
  }
}
