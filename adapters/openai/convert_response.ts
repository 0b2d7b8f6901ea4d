import { complete } from "../../streaming/_complete.ts";
import { Normaliser } from "../../streaming/_normaliser.ts";
import type { ChatCompletionChunk, ChatCompletionResponse } from "../../types/mod.ts";
import { ChatModelError } from "../../types/mod.ts";
import { AnswerExtras } from "./_answer_extras.ts";
import { badRecord } from "./_errors.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** What an answer is read with. */
export interface AnswerSetup {
  /** Name of the model where the server gives none. */
  readonly model: string;
  /** Base URL of the server, as it may be shown. */
  readonly url: string;
}

/**
 * Turns the chunks of a server into canonical ones, whatever it does differently. Pure.
 *
 * Members that OpenAI does not have are handed on: those of messages where they are, those around them in
 * `custom_outputs.openai`.
 */
export class AnswerConverter {
  readonly #setup: AnswerSetup;
  readonly #normaliser: Normaliser;
  readonly #extras = new AnswerExtras();

  /**
   * Makes a converter for one answer.
   *
   * @param setup What it is read with.
   */
  constructor(setup: AnswerSetup) {
    this.#setup = setup;
    this.#normaliser = new Normaliser({ model: setup.model });
  }

  /**
   * Converts a chunk.
   *
   * @param chunk The chunk.
   * @returns What it makes.
   * @throws {UpstreamError} If it cannot be understood.
   */
  push(chunk: OpenAIAnswer): ChatCompletionChunk[] {
    const out: ChatCompletionChunk[] = [];
    reading(this.#setup, () => this.#normaliser.push(this.#extras.take(chunk), out));
    return out;
  }

  /**
   * Ends the answer.
   *
   * @returns What is left of it.
   */
  end(): ChatCompletionChunk[] {
    const out: ChatCompletionChunk[] = [];
    const outputs = this.#extras.outputs();
    if (outputs !== undefined) this.#normaliser.push({ choices: [], custom_outputs: { openai: outputs } }, out);
    this.#normaliser.end(out);
    return out;
  }
}

/**
 * Turns a whole answer of a server into a canonical one. Pure.
 *
 * @param answer The answer.
 * @param setup What it is read with.
 * @returns The answer.
 * @throws {UpstreamError} If it cannot be understood.
 */
export function convertAnswer(answer: OpenAIAnswer, setup: AnswerSetup): ChatCompletionResponse {
  const extras = new AnswerExtras();
  return reading(setup, () => {
    const taken = extras.take(answer);
    const response = complete(taken, { model: setup.model });
    const outputs = extras.outputs();
    return outputs === undefined
      ? response
      : { ...response, custom_outputs: { ...response.custom_outputs, openai: outputs } };
  });
}

/** What the normaliser blames the model's code for is the server's fault here. */
function reading<T>(setup: AnswerSetup, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!ChatModelError.isInstance(error) || error.code !== "invalid_model_output") throw error;
    const fault = error.message.replace(/^Cannot read the model's output: /, "");
    throw badRecord(
      { action: `chat with model "${setup.model}"`, url: setup.url, hide: (text) => text },
      `is not as expected: ${fault}`,
    );
  }
}
