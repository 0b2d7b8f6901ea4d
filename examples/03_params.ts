// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/03_params.ts
import type { ChatMessage, ChatParams, ModelContext, PredictPart } from "@chatmodel/chat-model";
import { ChatModel, ValidationError } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";

const MOST_TOKENS = 1_000;

/** Has defaults of its own for what the caller leaves open, and a limit to what the caller may ask for. */
export default class HouseRules extends ChatModel {
  readonly #ollama = new OllamaChatModel({ model: "llama3.2:1b" });

  override predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncIterable<PredictPart> | Iterable<PredictPart> {
    const { max_tokens, max_completion_tokens = max_tokens ?? MOST_TOKENS, ...others } = params;
    if (max_completion_tokens > MOST_TOKENS) {
      const path = params.max_completion_tokens === undefined ? "max_tokens" : "max_completion_tokens";
      const message = `must be at most ${MOST_TOKENS}, but is ${max_completion_tokens}`;
      throw new ValidationError("Cannot answer", [{ path, message }]);
    }
    // What the caller did not set is absent, so that what stands first is a default.
    return this.#ollama.predictStream(context, messages, { temperature: 0.2, ...others, max_completion_tokens });
  }
}
