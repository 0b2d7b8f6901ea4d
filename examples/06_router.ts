// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/06_router.ts
import type { ChatMessage, ChatParams, ModelContext, PredictPart } from "@chatmodel/chat-model";
import { ChatModel, ChatModelError } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";

const SMALL = new OllamaChatModel({ model: "llama3.2:1b" });
const LARGE = new OllamaChatModel({ model: "llama3.1:8b" });

/** Gives easy requests to a small model and the others to a large one; if the one cannot answer, to the other. */
export default class Router extends ChatModel {
  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart, void, void> {
    const [first, second] = isHard(messages, params) ? [LARGE, SMALL] : [SMALL, LARGE];
    let hasBegun = false;
    try {
      for await (const part of first.predictStream(context, messages, params)) {
        hasBegun = true;
        yield part;
      }
      return yield { custom_outputs: { routed_to: first.name } };
    } catch (error) {
      // Once a word is said, another model cannot go on; and what is the caller's fault fails with any model.
      if (hasBegun || !isUnavailable(error)) throw error;
      context.span.addEvent("fallback", { from: first.name, to: second.name });
    }
    yield* second.predictStream(context, messages, params);
    yield { custom_outputs: { routed_to: second.name } };
  }
}

function isHard(messages: readonly ChatMessage[], { tools, response_format }: ChatParams): boolean {
  if (tools !== undefined || response_format !== undefined) return true;
  return JSON.stringify(messages).length > 2_000 || /```|\b(?:prove|derive|refactor)\b/i.test(JSON.stringify(messages));
}

function isUnavailable(error: unknown): boolean {
  return ChatModelError.isInstance(error) &&
    (error.retryable || error.status === 502 || error.code === "model_not_found");
}
