import { type CallLimits, loadChatModel, type LoadedChatModel } from "../../loaded_chat_model.ts";
import type { Model } from "../../types/mod.ts";
import type { OllamaModel } from "./api_types.ts";
import { OllamaClient } from "./client.ts";
import { OllamaChatModel } from "./ollama_chat_model.ts";

/** Options for {@linkcode OllamaModels}. */
export interface OllamaModelsOptions extends CallLimits {
  /** Speaks to Ollama. Default: a new client. */
  readonly client?: OllamaClient;
}

/** Most models that are kept ready: names come from clients, and each kept one takes memory. */
const MAX_KEPT = 256;

/**
 * All models of an Ollama server, as a directory that `createApp` serves: those pulled later, too.
 *
 * Models are listed under their short names (`llama3.2` for `llama3.2:latest`), and found under both.
 *
 * @example Usage
 * ```ts ignore
 * import { OllamaModels } from "@chatmodel/chat-model/ollama";
 * import { createApp } from "@chatmodel/chat-model/serve";
 *
 * export default createApp(new OllamaModels());
 * ```
 */
export class OllamaModels {
  /** Speaks to Ollama. */
  readonly client: OllamaClient;
  readonly #limits: CallLimits;
  readonly #kept = new Map<string, LoadedChatModel>();
  /** Digest of a model → whether it can chat. */
  readonly #canChat = new Map<string, boolean>();

  /**
   * Makes a directory; Ollama is not asked for anything yet.
   *
   * @param options Client and time limits.
   */
  constructor(options: OllamaModelsOptions = {}) {
    this.client = options.client ?? new OllamaClient();
    this.#limits = options;
  }

  /**
   * Lists the models that can chat, the last changed first.
   *
   * @param signal Gives up.
   * @returns The models, as OpenAI lists them.
   * @throws {UpstreamError} If Ollama does not answer.
   */
  async list(signal?: AbortSignal): Promise<Model[]> {
    const options = signal === undefined ? {} : { signal };
    const models = await this.client.list(options);
    const chatting = await Promise.all(models.map((model) => this.#chats(model, options)));
    return models.filter((_, i) => chatting[i]).map(toModel);
  }

  /**
   * Finds a model by name. Whether Ollama has it shows when it is used.
   *
   * @param name Name of the model; `undefined` for the first of the list.
   * @returns The model; `undefined` if Ollama has none at all.
   * @throws {UpstreamError} If Ollama does not answer.
   */
  async find(name: string | undefined): Promise<LoadedChatModel | undefined> {
    const wanted = name ?? (await this.list())[0]?.id;
    if (wanted === undefined) return undefined;
    const known = this.#kept.get(wanted);
    if (known !== undefined) return known;
    const source = new OllamaChatModel({ model: wanted, client: this.client });
    const model = await loadChatModel(source, { ...this.#limits, name: wanted });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(wanted, model);
    return model;
  }

  /**
   * Asks Ollama for its version.
   *
   * @param signal Gives up.
   * @throws {UpstreamError} If Ollama does not answer.
   */
  async checkHealth(signal: AbortSignal): Promise<void> {
    await this.client.version({ signal });
  }

  /** Asks `/api/show`, as the capabilities in `/api/tags` are wrong for embedding models. */
  async #chats(model: OllamaModel, options: { readonly signal?: AbortSignal }): Promise<boolean> {
    const { digest } = model;
    const known = digest === undefined ? undefined : this.#canChat.get(digest);
    if (known !== undefined) return known;
    let chats = true;
    try {
      const { capabilities } = await this.client.show(model.name, options);
      // Absent before Ollama 0.6.4: then all are listed.
      chats = capabilities?.includes("completion") ?? true;
    } catch (error) {
      options.signal?.throwIfAborted();
      // A model that cannot be shown (deleted meanwhile, or damaged) is still listed: using it tells what is wrong.
      if (!(error instanceof Error)) throw error;
      return true;
    }
    if (this.#canChat.size > 10_000) this.#canChat.clear();
    if (digest !== undefined) this.#canChat.set(digest, chats);
    return chats;
  }
}

function toModel(model: OllamaModel): Model {
  const created = Math.floor(Date.parse(model.modified_at ?? "") / 1000);
  const [namespace, rest] = model.name.split("/");
  return {
    id: model.name.replace(/:latest$/, ""),
    object: "model",
    created: Number.isFinite(created) ? created : 0,
    owned_by: rest === undefined || namespace === undefined ? "library" : namespace,
  };
}
