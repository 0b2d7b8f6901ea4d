import type { ChatChoice, ChatCompletionChunk, Usage } from "../types/mod.ts";
import { Accumulator } from "../streaming/accumulate.ts";

/** What came of an answer: a response, of which some answers may not have ended. */
export interface CollectedAnswer {
  readonly choices: readonly (Omit<ChatChoice, "finish_reason"> & { readonly finish_reason: string | null })[];
}

/** Puts the chunks of a stream together for a trace, also of one that was left in the middle. */
export class AnswerCollector {
  /** Chunks so far. */
  count = 0;
  /** Parts of an answer among them: about as many tokens, where no one counted. */
  parts = 0;
  /** Characters of the answer. */
  length = 0;
  usage: Usage | undefined;
  #last: ChatCompletionChunk | undefined;

  /** Pieces of the first answer's text that came alone in their chunks: put together here, as that is most of it. */
  #pieces: string[] = [];
  #accumulator: Accumulator | undefined;
  /** Finish reasons by answer; `undefined` where an answer has not ended. */
  readonly #reasons = new Map<number, string | undefined>();
  readonly #keeps: boolean;

  /**
   * @param keeps Whether the text is wanted; else only what is known about it.
   */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
    if (keeps) this.#accumulator = new Accumulator();
  }

  add(chunk: ChatCompletionChunk): void {
    this.count++;
    this.#last = chunk;
    if (chunk.usage) this.usage = chunk.usage;
    const { choices } = chunk;
    const [choice] = choices;
    if (choice !== undefined && choices.length === 1 && choice.index === 0) {
      const { delta, logprobs, finish_reason } = choice;
      const { content } = delta;
      if (
        typeof content === "string" && content !== "" && logprobs === null && finish_reason === null && isAlone(delta)
      ) {
        this.parts++;
        this.length += content.length;
        if (this.#keeps) this.#pieces.push(content);
        if (!this.#reasons.has(0)) this.#reasons.set(0, undefined);
        return;
      }
    }
    for (const { index, delta, finish_reason } of choices) {
      if (finish_reason !== null || !this.#reasons.has(index)) this.#reasons.set(index, finish_reason ?? undefined);
      const length = (delta.content?.length ?? 0) + (delta.reasoning?.length ?? 0) + (delta.refusal?.length ?? 0) +
        (delta.tool_calls ?? []).reduce((sum, call) => sum + (call.function?.arguments?.length ?? 0), 0);
      if (length > 0) this.parts++;
      this.length += length;
    }
    this.#flush(chunk);
    this.#accumulator?.add(chunk);
  }

  /** Finish reasons in the answers' order, of those that have ended. */
  get finishReasons(): string[] {
    return [...this.#reasons].sort(([a], [b]) => a - b).flatMap(([, reason]) => reason ?? []);
  }

  /** Id of the answer and name of the model that gave it. */
  get envelope(): { readonly id: string; readonly model: string } | undefined {
    return this.#last;
  }

  /** Tokens of the answer where no one has counted them: a guess, at least one for each part. */
  estimateTokens(): number {
    return Math.max(this.parts, Math.ceil(this.length / 4));
  }

  /** Nothing follows: lets go of the pieces, which are many small objects. */
  settle(): void {
    if (this.#pieces.length > 1) this.#pieces = [this.#pieces.join("")];
  }

  /** What came, as a response; answers that have not ended have no finish reason in it. */
  response(): CollectedAnswer | undefined {
    const accumulator = this.#accumulator;
    const last = this.#last;
    if (accumulator === undefined || last === undefined) return undefined;
    this.#flush(last);
    const open = new Set<number>();
    for (const [index, reason] of this.#reasons) if (reason === undefined) open.add(index);
    if (open.size > 0) {
      const choices = [...open].map((index) => ({ index, delta: {}, logprobs: null, finish_reason: "stop" as const }));
      accumulator.add({ ...last, choices });
    }
    const response = accumulator.response();
    if (open.size === 0) return response;
    const choices = response.choices.map((choice) =>
      open.has(choice.index) ? { ...choice, finish_reason: null } : choice
    );
    return { ...response, choices };
  }

  #flush(like: ChatCompletionChunk): void {
    if (this.#pieces.length === 0) return;
    const choices = [{ index: 0, delta: { content: this.#pieces.join("") }, logprobs: null, finish_reason: null }];
    this.#pieces = [];
    // Without what the chunk says beside its choices: it is added itself, or has been.
    const { id, object, created, model } = like;
    this.#accumulator?.add({ id, object, created, model, choices });
  }
}

function isAlone(delta: object): boolean {
  for (const key in delta) if (key !== "content") return false;
  return true;
}
