/**
 * Models of Ollama (https://ollama.com), local or in its cloud, over its native REST API.
 *
 * {@linkcode OllamaChatModel} answers OpenAI's requests; {@linkcode OllamaClient} speaks the API itself: models, their
 * download, chats and vectors. Both need `--allow-net` for the server, and `--allow-env=OLLAMA_HOST,OLLAMA_API_KEY`
 * if they are to read these.
 *
 * @example Ask a model
 * ```ts
 * import { OllamaChatModel } from "@chatmodel/chat-model/ollama";
 * import { loadChatModel } from "@chatmodel/chat-model";
 *
 * async function ask(question: string): Promise<string | null | undefined> {
 *   const model = await loadChatModel(new OllamaChatModel({ model: "llama3.2:1b" }));
 *   const answer = await model.predict({ messages: [{ role: "user", content: question }] });
 *   return answer.choices[0]?.message.content;
 * }
 * ```
 *
 * @module
 */

export {
  type OllamaCallOptions,
  type OllamaChatOptions,
  OllamaClient,
  type OllamaClientOptions,
  type OllamaPullOptions,
} from "./client.ts";
export type {
  OllamaEmbedRequest,
  OllamaEmbedResponse,
  OllamaModel,
  OllamaModelDetails,
  OllamaModelInfo,
  OllamaPullProgress,
  OllamaRunningModel,
} from "./api_types.ts";
export type {
  OllamaChatRecord,
  OllamaChatRequest,
  OllamaMessage,
  OllamaTokenLogprob,
  OllamaTool,
  OllamaToolCall,
} from "./wire.ts";
export { type OllamaHost, parseOllamaHost } from "./host.ts";
export { OllamaChatModel } from "./ollama_chat_model.ts";
export type { OllamaChatModelOptions } from "./ollama_chat_model_options.ts";
export type { OllamaOptions } from "./options.ts";
export { OllamaModels, type OllamaModelsOptions } from "./ollama_models.ts";
