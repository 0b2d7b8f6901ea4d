/**
 * The demo model: deterministic, without network or permissions. It says what it is and echoes what it was told; it
 * calls tools and fills JSON Schemas with what it finds in the prompt. Meant for trying out a server and for developing
 * clients offline.
 *
 * @example
 * ```ts
 * import { loadChatModel } from "@chatmodel/chat-model";
 * import { DemoChatModel } from "@chatmodel/chat-model/demo";
 *
 * const model = await loadChatModel(DemoChatModel);
 * for await (const chunk of model.predictStream({ messages: [{ role: "user", content: "Hello out there, model" }] })) {
 *   console.log(chunk.choices[0]?.delta.content); // "This ", "is ", "the ", "demo ", …
 * }
 * ```
 *
 * @module
 */

export { DemoChatModel, type DemoChatModelOptions } from "./demo_chat_model.ts";
