/** Facts about a model's file. */
export interface OllamaModelDetails {
  /** Model it was made from; holds a path of the server on some versions. */
  readonly parent_model?: string;
  /** Format of the file, such as `gguf`. */
  readonly format?: string;
  /** Architecture, such as `llama`. */
  readonly family?: string;
  /** All architectures in it. */
  readonly families?: readonly string[];
  /** Number of parameters, such as `8.0B`. */
  readonly parameter_size?: string;
  /** Kind of quantization, such as `Q4_K_M`. */
  readonly quantization_level?: string;
  /** Trained window in tokens (Ollama 0.30 and later). */
  readonly context_length?: number;
  /** Length of its vectors (Ollama 0.30 and later). */
  readonly embedding_length?: number;
}

/** A model as `GET /api/tags` lists it. */
export interface OllamaModel {
  /** Full name, `name:tag`. */
  readonly name: string;
  /** The same. */
  readonly model?: string;
  /** When it was changed, in RFC 3339. */
  readonly modified_at?: string;
  /** Bytes on disk. */
  readonly size?: number;
  /** SHA-256 of its manifest, in hexadecimal digits. */
  readonly digest?: string;
  /** Facts about its file. */
  readonly details?: OllamaModelDetails;
  /** Name at the server that runs it, for a model of the cloud. */
  readonly remote_model?: string;
  /** Server that runs it, for a model of the cloud. */
  readonly remote_host?: string;
  /** What it can do (Ollama 0.30 and later). Differs from `show()` for some models: that one is right. */
  readonly capabilities?: readonly string[];
}

/** A loaded model as `GET /api/ps` lists it. */
export interface OllamaRunningModel {
  /** Full name, `name:tag`. */
  readonly name: string;
  /** The same. */
  readonly model?: string;
  /** Bytes in memory. */
  readonly size?: number;
  /** Bytes of these in the memory of a graphics card. */
  readonly size_vram?: number;
  /** SHA-256 of its manifest, in hexadecimal digits. */
  readonly digest?: string;
  /** Facts about its file. */
  readonly details?: OllamaModelDetails;
  /** When it will be unloaded, in RFC 3339. */
  readonly expires_at?: string;
  /** Its window in tokens as asked for. */
  readonly context_length?: number;
}

/** Everything about one model, the answer of `POST /api/show`. */
export interface OllamaModelInfo {
  /** What it can do: `completion`, `tools`, `vision`, `thinking`, `embedding` and others; absent before Ollama 0.6.4. */
  readonly capabilities?: readonly string[];
  /** Facts about its file. */
  readonly details?: OllamaModelDetails;
  /** Metadata of its file; the trained window stands under `<architecture>.context_length`. */
  readonly model_info?: { readonly [key: string]: unknown };
  /** Metadata of its projector. */
  readonly projector_info?: { readonly [key: string]: unknown };
  /** Its own options as text, one `name   value` a line. */
  readonly parameters?: string;
  /** Its prompt template. */
  readonly template?: string;
  /** Its system prompt. */
  readonly system?: string;
  /** Built-in renderer, if it has one. */
  readonly renderer?: string;
  /** Built-in parser, if it has one. */
  readonly parser?: string;
  /** Its licence. */
  readonly license?: string;
  /** The file it was made by; holds paths of the server. */
  readonly modelfile?: string;
  /** Messages that precede every conversation. */
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  /** When it was changed, in RFC 3339. */
  readonly modified_at?: string;
  /** Least version of Ollama it needs. */
  readonly requires?: string;
}

/** One event of a download, a line of `POST /api/pull`. */
export interface OllamaPullProgress {
  /** What is being done; `success` in the last event. Other texts differ between versions. */
  readonly status: string;
  /** Which file is downloaded. */
  readonly digest?: string;
  /** Bytes of this file. */
  readonly total?: number;
  /** Bytes of this file that are there; absent at 0. */
  readonly completed?: number;
}

/** Body of `POST /api/embed`. */
export interface OllamaEmbedRequest {
  /** Name of the model, `name[:tag]`. */
  readonly model: string;
  /** One text or several. */
  readonly input: string | readonly string[];
  /** Whether to cut texts that are too long. Ollama's default is `true`. */
  readonly truncate?: boolean;
  /** Length to cut the vectors to. */
  readonly dimensions?: number;
  /** Load-time options; others than the chat's reload the model. */
  readonly options?: { readonly [name: string]: unknown };
  /** Seconds, or a Go duration such as `"5m"`. */
  readonly keep_alive?: string | number;
}

/** Vectors, the answer of `POST /api/embed`. */
export interface OllamaEmbedResponse {
  /** Name of the model as it was asked for. */
  readonly model?: string;
  /** One vector a text, of unit length. */
  readonly embeddings: readonly (readonly number[])[];
  /** Nanoseconds for everything. */
  readonly total_duration?: number;
  /** Nanoseconds for loading the model. */
  readonly load_duration?: number;
  /** Tokens of the texts. */
  readonly prompt_eval_count?: number;
}
