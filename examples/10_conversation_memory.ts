// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/10_conversation_memory.ts
import type {
  ChatCompletionChunk,
  ChatMessage,
  ChatParams,
  LoadedChatModel,
  ModelContext,
} from "@chatmodel/chat-model";
import { ChatModel, loadChatModel, type PredictPart, ValidationError } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";
import { accumulate } from "@chatmodel/chat-model/streaming";

const MOST_CONVERSATIONS = 1_000;
const MOST_MESSAGES = 40;

/**
 * Remembers conversations, so that a client sends only what is new: the first answer's
 * `custom_outputs.conversation_id` goes into `custom_inputs` of the next request.
 */
export default class Memory extends ChatModel {
  /** In this process, the least recently used first. In a database they would outlive it. */
  readonly #conversations = new Map<string, readonly ChatMessage[]>();
  /** Set by `loadContext`, which is called before the first question. */
  #model!: LoadedChatModel;

  override async loadContext({ signal }: ModelContext): Promise<void> {
    this.#model = await loadChatModel(new OllamaChatModel({ model: "llama3.2:1b" }), { signal });
  }

  override async *predictStream(
    { signal, requestId }: ModelContext,
    messages: readonly ChatMessage[],
    { custom_inputs, ...params }: ChatParams,
  ): AsyncGenerator<PredictPart, void, void> {
    const { id, earlier } = this.#recall(custom_inputs?.conversation_id);
    const conversation = [...earlier, ...messages];
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of this.#model.predictStream({ ...params, messages: conversation }, { signal, requestId })) {
      chunks.push(chunk);
      yield chunk;
    }
    // Only now: an answer that failed, or that no one waited for, is not part of the conversation.
    const { content, tool_calls } = (await accumulate(chunks)).choices[0]?.message ?? {};
    const answer: ChatMessage = { role: "assistant", content: content ?? "", ...(tool_calls && { tool_calls }) };
    this.#remember(id, [...conversation, answer]);
    yield { custom_outputs: { conversation_id: id } };
  }

  /** Ids are made here and cannot be guessed: whoever has one may hear of the conversation. */
  #recall(id: unknown): { readonly id: string; readonly earlier: readonly ChatMessage[] } {
    if (id === undefined) return { id: crypto.randomUUID(), earlier: [] };
    const earlier = typeof id === "string" ? this.#conversations.get(id) : undefined;
    if (typeof id === "string" && earlier !== undefined && earlier.length < MOST_MESSAGES) return { id, earlier };
    const message = earlier === undefined
      ? "must be the id of a conversation that is remembered. Leave it out to begin a new one"
      : `must be left out now, to begin a new conversation: this one has ${earlier.length} messages`;
    throw new ValidationError("Cannot go on", [{ path: "custom_inputs.conversation_id", message }]);
  }

  #remember(id: string, messages: readonly ChatMessage[]): void {
    this.#conversations.delete(id);
    this.#conversations.set(id, messages);
    const [oldest] = this.#conversations.keys();
    if (this.#conversations.size > MOST_CONVERSATIONS && oldest !== undefined) this.#conversations.delete(oldest);
  }
}
