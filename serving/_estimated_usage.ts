/** The usage of streams whose models do not count tokens, for clients that ask for it. */
import type { ChatCompletionChunk, ChatRequest } from "../types/mod.ts";
import type { FrameWriter } from "../streaming/encode_sse.ts";
import { estimatePieceTokens, estimatePromptTokens } from "./limits/mod.ts";

/**
 * Writes frames as another writer does, and before the end of an answer without usage a chunk with an estimate, which
 * says so: `"estimated": true`.
 */
export class UsageWriter implements FrameWriter {
  readonly #writer: FrameWriter;
  readonly #request: ChatRequest;
  #last: ChatCompletionChunk | undefined;
  #tokens = 0;
  #isCounted = false;

  constructor(writer: FrameWriter, request: ChatRequest) {
    this.#writer = writer;
    this.#request = request;
  }

  begin(): string {
    return this.#writer.begin();
  }

  encode(chunk: ChatCompletionChunk): string {
    this.#last = chunk;
    if (chunk.usage != null) this.#isCounted = true;
    for (const { delta } of this.#isCounted ? [] : chunk.choices) {
      const texts = [
        delta.content,
        delta.reasoning,
        ...delta.tool_calls?.map((call) => call.function?.arguments) ?? [],
      ];
      for (const text of texts) if (text != null) this.#tokens += estimatePieceTokens(text);
    }
    return this.#writer.encode(chunk);
  }

  end(): string | Promise<string> {
    const { id, object, created, model } = this.#last ?? {};
    if (this.#isCounted || id === undefined) return this.#writer.end();
    const prompt_tokens = estimatePromptTokens(this.#request);
    const usage = {
      prompt_tokens,
      completion_tokens: this.#tokens,
      total_tokens: prompt_tokens + this.#tokens,
      estimated: true,
    };
    const frame = `data: ${JSON.stringify({ id, object, created, model, choices: [], usage })}\n\n`;
    const end = this.#writer.end();
    return typeof end === "string" ? frame + end : end.then((end) => frame + end);
  }

  fail(error: unknown): string {
    return this.#writer.fail(error);
  }
}
