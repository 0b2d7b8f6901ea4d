// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/ollama_custom_model.ts
import { CustomModel, type ModelContext, ValidationError } from "@chatmodel/chat-model";
import { OllamaClient, type OllamaMessage, type OllamaOptions } from "@chatmodel/chat-model/ollama";

/** A model of any shape: what it takes and gives is told by its input example, not by OpenAI's API. */
export default class OllamaCustomModel extends CustomModel {
  readonly #client = new OllamaClient();

  constructor(readonly modelName = "llama3.2:1b") {
    super();
  }

  override async predict(
    { signal }: ModelContext,
    input: unknown,
    params: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    const request = { model: this.modelName, messages: readMessages(input), options: toOptions(params) };
    const { message, model, created_at } = await this.#client.chat(request, { signal });
    return {
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: message?.content ?? "" } }],
      model: model ?? this.modelName,
      object: "chat.completion",
      created: Math.floor(Date.parse(created_at ?? "") / 1000),
    };
  }
}

/** Params have the types of the example's already, and its values where the caller says nothing. */
function toOptions({ max_tokens, ...params }: Readonly<Record<string, unknown>>): OllamaOptions {
  return { ...params, ...(typeof max_tokens === "number" && { num_predict: max_tokens }) };
}

function readMessages(input: unknown): OllamaMessage[] {
  const messages: unknown = typeof input === "object" && input !== null && "messages" in input
    ? input.messages
    : undefined;
  if (!Array.isArray(messages)) throw invalid("messages", "must be an array of messages");
  return messages.map((message: unknown, position): OllamaMessage => {
    if (
      typeof message === "object" && message !== null && "role" in message && typeof message.role === "string" &&
      "content" in message && typeof message.content === "string"
    ) return { role: message.role, content: message.content };
    throw invalid(`messages.${position}`, "must have a role and a content, both text");
  });
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError("Cannot read input", [{ path, message }]);
}
