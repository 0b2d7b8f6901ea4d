/**
 * Models of any server that has OpenAI's API: vLLM, llama.cpp's server, clouds, another server of this package.
 *
 * {@linkcode OpenAIChatModel} hands requests on and brings answers into canonical form; {@linkcode OpenAIClient} speaks
 * the API itself: chats, models and vectors. Both need `--allow-net` for the server, and
 * `--allow-env=OPENAI_BASE_URL,OPENAI_API_KEY` if they are to read these.
 *
 * Several servers that have the same models are given as `upstreams`: calls are shared out by weight, and go on to the
 * next where one fails before its answer begins.
 *
 * @example Ask a model
 * ```ts
 * import { OpenAIChatModel } from "@chatmodel/chat-model/openai";
 * import { loadChatModel } from "@chatmodel/chat-model";
 *
 * async function ask(question: string): Promise<string | null | undefined> {
 *   const model = await loadChatModel(new OpenAIChatModel({ model: "qwen3-8b", baseUrl: "http://127.0.0.1:8080/v1" }));
 *   const answer = await model.predict({ messages: [{ role: "user", content: question }] });
 *   return answer.choices[0]?.message.content;
 * }
 * ```
 *
 * @module
 */

export {
  type OpenAICallOptions,
  type OpenAIChatOptions,
  OpenAIClient,
  type OpenAIClientOptions,
  type OpenAIUpstream,
} from "./client.ts";
export { OpenAIChatModel } from "./openai_chat_model.ts";
export type { OpenAIChatModelOptions } from "./openai_chat_model_options.ts";
export type {
  OpenAIAnswer,
  OpenAIChatRequest,
  OpenAIEmbedRequest,
  OpenAIModel,
  OpenAIResponseRequest,
  OpenAIVectors,
} from "./wire.ts";
