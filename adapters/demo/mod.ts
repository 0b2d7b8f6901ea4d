/**
 * The demo model: deterministic, without network or permissions. It says what it is and echoes what it was told; it
 * calls tools and fills JSON Schemas with what it finds in the prompt. Meant for trying out a server and for developing
 * clients offline.
 *
 * @example
 * ```ts
 * import { DemoChatModel } from "@chatmodel/chat-model/demo";
 *
 * const model = new DemoChatModel();
 * const context = { signal: new AbortController().signal, requestId: "1" };
 * for await (const piece of model.predictStream(context, [{ role: "user", content: "Hello out there, model" }], {})) {
 *   console.log(piece); // "This ", "is ", "the ", "demo ", …
 * }
 * ```
 *
 * @module
 */

export { DemoChatModel, type DemoChatModelOptions } from "./demo_chat_model.ts";
