// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/ollama_model_with_metadata.ts
import type { AnswerPart, ChatMessage, ChatParams, ModelContext } from "@chatmodel/chat-model";
import { ChatModel, ValidationError } from "@chatmodel/chat-model";
import type { OllamaChatRecord, OllamaMessage, OllamaOptions } from "@chatmodel/chat-model/ollama";
import { OllamaClient } from "@chatmodel/chat-model/ollama";

/** A model of Ollama that takes parameters, and a seed from `custom_inputs`: a number, or one as text. */
export default class OllamaModelWithMetadata extends ChatModel {
  readonly #client = new OllamaClient();

  constructor(readonly modelName = "llama3.2:1b") {
    super();
  }

  override async *predictStream(
    { signal }: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<AnswerPart, void, void> {
    const request = { model: this.modelName, messages: messages.map(toOllamaMessage), options: toOptions(params) };
    for await (const batch of await this.#client.chatStream(request, { signal })) yield* batch.map(toAnswerPart);
  }
}

function toOptions(params: ChatParams): OllamaOptions {
  const { max_tokens, max_completion_tokens = max_tokens, temperature, top_p, stop, custom_inputs } = params;
  const seed = custom_inputs?.seed;
  // What the caller did not set is left to the model's own defaults.
  return {
    ...(max_completion_tokens !== undefined && { num_predict: max_completion_tokens }),
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { top_p }),
    ...(stop !== undefined && { stop: typeof stop === "string" ? [stop] : stop }),
    ...(seed !== undefined && seed !== null && { seed: toSeed(seed) }),
  };
}

function toSeed(value: unknown): number {
  const seed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof seed === "number" && Number.isSafeInteger(seed)) return seed;
  throw new ValidationError("Cannot read inputs", [{ path: "custom_inputs.seed", message: "must be a whole number" }]);
}

function toOllamaMessage({ role, content }: ChatMessage, position: number): OllamaMessage {
  if (typeof content === "string") return { role: role === "developer" ? "system" : role, content };
  const path = `messages.${position}.content`;
  throw new ValidationError("Cannot ask the model", [{ path, message: "must be text: this model takes nothing else" }]);
}

function toAnswerPart({ message, done, done_reason, prompt_eval_count, eval_count }: OllamaChatRecord): AnswerPart {
  const content = message?.content ?? "";
  if (done !== true) return { content };
  const usage = { prompt_tokens: prompt_eval_count ?? 0, completion_tokens: eval_count ?? 0 };
  return { content, finish_reason: done_reason === "length" ? "length" : "stop", usage };
}
