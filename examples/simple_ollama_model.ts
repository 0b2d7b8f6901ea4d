// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/simple_ollama_model.ts
import { type ChatMessage, ChatModel, type ModelContext, ValidationError } from "@chatmodel/chat-model";
import { OllamaClient, type OllamaMessage } from "@chatmodel/chat-model/ollama";

/** A model of Ollama that chats and does nothing else: the request's parameters are ignored. */
export default class SimpleOllamaModel extends ChatModel {
  readonly #client = new OllamaClient();

  constructor(readonly modelName = "llama3.2:1b") {
    super();
  }

  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
  ): AsyncGenerator<string, void, void> {
    // The signal reaches Ollama, which stops generating when no one waits any more.
    const batches = await this.#client.chatStream(
      { model: this.modelName, messages: messages.map(toOllamaMessage) },
      { signal: context.signal },
    );
    for await (const batch of batches) {
      for (const { message } of batch) yield message?.content ?? "";
    }
  }
}

function toOllamaMessage({ role, content }: ChatMessage, position: number): OllamaMessage {
  if (typeof content === "string") return { role: role === "developer" ? "system" : role, content };
  const path = `messages.${position}.content`;
  throw new ValidationError("Cannot ask the model", [{ path, message: "must be text: this model takes nothing else" }]);
}
