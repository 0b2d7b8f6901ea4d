/** Frames of a streamed legacy completion. */
import { type ChatCompletionChunk, ChatModelError, type ErrorObject } from "../../types/mod.ts";
import { errorFrame } from "../../streaming/_chunk_encoder.ts";
import { splitText } from "../../streaming/_split.ts";
import type { FrameWriter } from "../../streaming/encode_sse.ts";
import { isTooLong, MAX_LINE, severalLines } from "../../streaming/sse_data.ts";
import { notText, OffsetCounter, type TextChoice, type TextCompletion, toFinishReason } from "./_completion.ts";
import type { CompletionRequest } from "./_parse_request.ts";

/** What the frames are made of, beside the answer. */
export interface TextFramesOptions {
  readonly id: string;
  readonly request: Pick<CompletionRequest, "prompts" | "count" | "echo" | "includeUsage">;
  readonly toErrorObject: (error: unknown) => ErrorObject;
}

/** Writes canonical chunks as pieces of legacy completions, the choices numbered by prompt and answer. */
export class TextFrames implements FrameWriter {
  readonly #options: TextFramesOptions;
  /** Answers that have begun, by their index. */
  readonly #begun = new Map<number, OffsetCounter>();

  constructor(options: TextFramesOptions) {
    this.#options = options;
  }

  begin(): string {
    return "";
  }

  encode(chunk: ChatCompletionChunk): string {
    const { includeUsage } = this.#options.request;
    if (chunk.choices.length === 0) return includeUsage ? frame({ ...this.#envelope(chunk), usage: chunk.usage }) : "";
    let text = "";
    for (const choice of this.#toChoices(chunk)) {
      const envelope = this.#envelope(chunk, [choice]);
      text += frame(includeUsage ? { ...envelope, usage: null } : envelope);
    }
    return text;
  }

  end(): string {
    return "data: [DONE]\n\n";
  }

  fail(error: unknown): string {
    return errorFrame(this.#options.toErrorObject(error));
  }

  #toChoices(chunk: ChatCompletionChunk): TextChoice[] {
    const out: TextChoice[] = [];
    for (const { index, delta, logprobs, finish_reason } of chunk.choices) {
      if (index >= this.#options.request.prompts.length * this.#options.request.count) throw tooManyAnswers();
      if (delta.tool_calls !== undefined || delta.function_call !== undefined) throw notText();
      let offsets = this.#begun.get(index);
      if (offsets === undefined) {
        this.#begun.set(index, offsets = new OffsetCounter());
        if (this.#options.request.echo) out.push(...this.#echo(index));
      }
      const text = `${delta.content ?? ""}${delta.refusal ?? ""}`;
      const tokens = logprobs?.content ?? null;
      // The role has no place here, nor has thinking.
      if (text === "" && tokens === null && finish_reason === null) continue;
      out.push({
        text,
        index,
        logprobs: tokens === null ? null : offsets.convert(tokens),
        finish_reason: finish_reason === null ? null : toFinishReason(finish_reason),
      });
    }
    return out;
  }

  #echo(index: number): TextChoice[] {
    const { prompts, count } = this.#options.request;
    const prompt = prompts[Math.floor(index / count)] ?? "";
    if (prompt === "") return [];
    return splitText(prompt).map((text) => ({ text, index, logprobs: null, finish_reason: null }));
  }

  #envelope(chunk: ChatCompletionChunk, choices: readonly TextChoice[] = []): Omit<TextCompletion, "usage"> {
    const { created, model, system_fingerprint, custom_outputs } = chunk;
    return {
      id: this.#options.id,
      object: "text_completion",
      created,
      model,
      choices,
      ...(system_fingerprint !== undefined && { system_fingerprint }),
      ...(custom_outputs !== undefined && { custom_outputs }),
    };
  }
}

/** @throws {ChatModelError} If a single value is longer than a line may be. */
function frame(value: object): string {
  const line = `data: ${JSON.stringify(value)}`;
  if (!isTooLong(line)) return `${line}\n\n`;
  const lines = severalLines(value);
  if (lines.some(isTooLong)) throw tooLong();
  return `${lines.join("\n")}\n\n`;
}

/** As a stream of chat fails, too: many clients read no longer lines. */
function tooLong(): ChatModelError {
  return new ChatModelError(
    `Cannot stream the answer: a single value in it is longer than ${MAX_LINE} bytes. ` +
      'Ask without "stream", or let the model give it in pieces',
    { code: "chunk_too_long" },
  );
}

function tooManyAnswers(): ChatModelError {
  return new ChatModelError("Cannot read the model's output: it gave more answers than it was asked for", {
    code: "invalid_model_output",
  });
}
