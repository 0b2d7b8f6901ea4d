import type { ModelContext } from "./chat_model.ts";

const BRAND = Symbol.for("@chatmodel/chat-model/custom-model");

/**
 * A model of any shape, as MLflow's `PythonModel`: it takes and gives any JSON. What it takes, and which params, follows
 * from the input example that it is saved with.
 *
 * A model that chats is better a `ChatModel`, which every OpenAI client can talk to, streaming too.
 *
 * @example A model that counts words
 * ```ts
 * import { CustomModel, loadCustomModel, type ModelContext } from "@chatmodel/chat-model";
 * import { assertEquals } from "@std/assert";
 *
 * class WordCount extends CustomModel {
 *   override predict(_context: ModelContext, input: unknown) {
 *     return { words: String(input).split(" ").length };
 *   }
 * }
 *
 * const model = await loadCustomModel(WordCount);
 * assertEquals(await model.predict("one two three"), { words: 3 });
 * ```
 */
export abstract class CustomModel {
  /** Name that the model is known by. Default: name of the class. */
  declare readonly name?: string;

  /** Marks models, whichever copy of the package their class comes from. */
  get [BRAND](): true {
    return true;
  }

  /**
   * Whether a value is a custom model, whichever copy of the package its class comes from.
   *
   * @param value Anything.
   * @returns Whether it is one.
   */
  static isInstance(value: unknown): value is CustomModel {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /**
   * Prepares the model; called once, before the first prediction. Does nothing unless overridden.
   *
   * @param _context Its signal fires when loading is given up.
   */
  loadContext(_context: ModelContext): void | Promise<void> {}

  /**
   * Answers.
   *
   * @param context What surrounds the call.
   * @param input What was sent; checked against the signature if the model was saved with an input example.
   * @param params Params by name: those that were sent, the example's values for the others. Empty if the model was
   * saved without.
   * @returns The answer: anything that JSON can hold.
   */
  abstract predict(
    context: ModelContext,
    input: unknown,
    params: { readonly [name: string]: unknown },
  ): unknown | Promise<unknown>;
}

/** A custom model, or a class of them that needs no arguments. */
export type CustomModelSource = CustomModel | (new () => CustomModel);

/**
 * The custom model of a value: itself, or a new instance of a class of them.
 *
 * @param source Anything.
 * @returns The model; `undefined` if it is none.
 */
export function toCustomModel(source: unknown): CustomModel | undefined {
  if (CustomModel.isInstance(source)) return source;
  if (typeof source !== "function" || !CustomModel.isInstance(source.prototype)) return undefined;
  const instance: unknown = Reflect.construct(source, []);
  return CustomModel.isInstance(instance) ? instance : undefined;
}
