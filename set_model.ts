import { ChatModel, type ChatModelSource, toChatModel } from "./chat_model.ts";
import { CustomModel, type CustomModelSource, toCustomModel } from "./custom_model.ts";

const SLOT = Symbol.for("@chatmodel/chat-model/set-model");

/**
 * The model of a value, of either kind: itself, or a new instance of a class of models.
 *
 * @param source Anything.
 * @returns The model; `undefined` if it is none.
 */
export function toModel(source: unknown): ChatModel | CustomModel | undefined {
  return toChatModel(source) ?? toCustomModel(source);
}

/**
 * Names the model of a file, for those who come from MLflow: the same as exporting it as default.
 *
 * @example Usage
 * ```ts
 * import { ChatModel, setModel } from "@chatmodel/chat-model";
 *
 * class Greeter extends ChatModel {
 *   override predict() {
 *     return "Hello";
 *   }
 * }
 *
 * setModel(new Greeter());
 * ```
 *
 * @param model The model, or its class.
 * @throws {TypeError} If it is neither.
 */
export function setModel(model: ChatModelSource | CustomModelSource): void {
  const instance = toModel(model);
  if (instance === undefined) {
    throw new TypeError("Cannot set model: it must be an instance or a class of ChatModel or CustomModel");
  }
  Reflect.set(globalThis, SLOT, instance);
}

/**
 * Takes the model that the file just imported named by {@linkcode setModel}, so that it is never mistaken for the next
 * file's.
 *
 * @returns The model; `undefined` if none was named since.
 */
export function takeModel(): ChatModel | CustomModel | undefined {
  const model: unknown = Reflect.get(globalThis, SLOT);
  Reflect.deleteProperty(globalThis, SLOT);
  return ChatModel.isInstance(model) || CustomModel.isInstance(model) ? model : undefined;
}
