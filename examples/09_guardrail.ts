// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/09_guardrail.ts
import type { ChatMessage, ChatModelSource, ChatParams, ModelContext, PredictResult } from "@chatmodel/chat-model";
import { ChatModel, loadChatModel, type LoadedChatModel, ValidationError } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";

/** What must neither go into the model nor come out of it: addresses of mail, numbers of cards. */
const FORBIDDEN = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:\d[ -]?){12,18}\d\b/;

/** Stands before any model, and checks what goes in and what comes out. */
export default class Guardrail extends ChatModel {
  readonly #source: ChatModelSource;
  /** Set by `loadContext`, which is called before the first question. */
  #model!: LoadedChatModel;

  /** Another model may be put behind it, as in `createApp({ guarded: new Guardrail(MyModel) })`. */
  constructor(source: ChatModelSource = new OllamaChatModel({ model: "llama3.2:1b" })) {
    super();
    this.#source = source;
  }

  override async loadContext({ signal }: ModelContext): Promise<void> {
    this.#model = await loadChatModel(this.#source, { signal });
  }

  /** In one piece, streamed or not: nothing may leave before all of it has been looked at. */
  override async predict(
    { signal, requestId }: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): Promise<PredictResult> {
    const issues = messages.flatMap((message, position) =>
      holdsForbidden(message) ? [{ path: `messages.${position}`, message: "must hold no private data" }] : []
    );
    if (issues.length > 0) throw new ValidationError("Cannot ask the model", issues, { code: "content_filter" });

    const response = await this.#model.predict({ ...params, messages }, { signal, requestId });
    if (!holdsForbidden(response.choices)) return response;
    return { refusal: "The answer was withheld, as it held private data.", finish_reason: "content_filter" };
  }
}

/** Text, thinking, arguments of tools: whatever there is. */
function holdsForbidden(value: unknown): boolean {
  return FORBIDDEN.test(JSON.stringify(value));
}
