import { Call, type CallLimits, type ModelEquipment, type PredictOptions } from "./_call.ts";
import { type CustomModel, type CustomModelSource, toCustomModel } from "./custom_model.ts";
import { toJsonValue } from "./_json_value.ts";
import type { JsonValue } from "./model_config.ts";
import { checkInput, enforceParams, type ModelSignature, type ReadSignature, readSignature } from "./signature/mod.ts";
import { ChatModelError, ValidationError } from "./types/mod.ts";

const BRAND = Symbol.for("@chatmodel/chat-model/loaded-custom-model");

/** Options for {@linkcode loadCustomModel}. */
export interface LoadCustomOptions extends CallLimits, ModelEquipment {
  /** Name that the model is known by. Default: the model's own. */
  readonly name?: string;
  /** What it takes, and its params. Default: anything, and no params. */
  readonly signature?: ModelSignature;
  /** Told what is passed over, such as params that the model does not have. Default: written to the console. */
  readonly onWarning?: (message: string) => void;
  /** Gives up loading. */
  readonly signal?: AbortSignal;
  /** Lets go of what the model holds, such as a worker: called once, when the loaded model is disposed of. */
  readonly onDispose?: () => void | Promise<void>;
}

/**
 * Makes a custom model ready for use: makes an instance, calls its `loadContext`.
 *
 * @param source The model, or its class.
 * @param options Name, signature and time limits.
 * @returns The model, ready for use.
 * @throws {ChatModelError} With code `invalid_model` if it is no custom model, `invalid_signature` if the signature
 * cannot be read. What `loadContext` throws is handed on.
 */
export async function loadCustomModel(
  source: CustomModelSource,
  options: LoadCustomOptions = {},
): Promise<LoadedCustomModel> {
  const model = toCustomModel(source);
  if (model === undefined) {
    throw new ChatModelError("Cannot load model: it must be an instance or a class of CustomModel", {
      code: "invalid_model",
    });
  }
  const signature = options.signature && readSignature(options.signature);
  options.signal?.throwIfAborted();
  const call = new Call(options, options);
  let loaded = false;
  try {
    const loading = model.loadContext(call.context);
    if (loading !== undefined) await call.settle(loading);
    loaded = true;
  } finally {
    call.end(loaded);
  }
  return new LoadedCustomModel(model, signature, options);
}

/** A custom model ready for use. Made by {@linkcode loadCustomModel}. */
export class LoadedCustomModel {
  /** Marks loaded models, whichever copy of the package made them. */
  get [BRAND](): true {
    return true;
  }

  /**
   * Whether a value is a loaded custom model, whichever copy of the package made it.
   *
   * @param value Anything.
   * @returns Whether it is one.
   */
  static isInstance(value: unknown): value is LoadedCustomModel {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /** Name that the model is known by. */
  readonly name: string;
  /** Names of its params, which a server may find among other members of a request. */
  readonly paramNames: readonly string[];
  readonly #model: CustomModel;
  readonly #signature: ReadSignature | undefined;
  readonly #options: LoadCustomOptions;
  #onDispose: (() => void | Promise<void>) | undefined;

  /**
   * Not for direct use: see {@linkcode loadCustomModel}.
   *
   * @param model The model.
   * @param signature What it takes.
   * @param options Name and time limits.
   */
  constructor(model: CustomModel, signature: ReadSignature | undefined, options: LoadCustomOptions) {
    this.name = options.name ?? model.name ?? model.constructor.name;
    this.paramNames = signature?.params.map(({ name }) => name) ?? [];
    this.#model = model;
    this.#signature = signature;
    this.#options = options;
    this.#onDispose = options.onDispose;
  }

  /**
   * Answers.
   *
   * @param input What the model takes.
   * @param params Params by name. Those that are absent or `null` have the input example's values; those that the model
   * does not have are passed over with a warning.
   * @param options Cancelling and time limits.
   * @returns The answer, as JSON holds it.
   * @throws {ValidationError} If input or params are not of the signature's types; all issues are in it.
   * @throws {TimeoutError} If a time limit passes.
   * @throws {ChatModelError} With code `invalid_model_output` if JSON cannot hold the answer. What the model throws is
   * handed on; so is the signal's reason.
   */
  async predict(
    input: unknown,
    params: { readonly [name: string]: unknown } = {},
    options: PredictOptions = {},
  ): Promise<JsonValue> {
    const given = this.#check(input, params);
    const call = new Call(options, this.#options);
    if (call.isObserved) call.observe({ model: this.name, operation: "invoke", input, params: given });
    let completed = false;
    let failure: { readonly reason: unknown } | undefined;
    try {
      const answering = call.run(() => this.#model.predict(call.context, input, given));
      const answer = await call.settle(Promise.resolve(answering));
      completed = true;
      const response = toJson(answer);
      call.observation?.result?.({ operation: "invoke", response });
      return response;
    } catch (error) {
      failure = { reason: error };
      throw error;
    } finally {
      call.end(completed, failure);
    }
  }

  /** Lets go of what the model holds, such as the worker of a sandbox. It cannot answer after that. */
  async [Symbol.asyncDispose](): Promise<void> {
    const dispose = this.#onDispose;
    this.#onDispose = undefined;
    await dispose?.();
  }

  #check(input: unknown, given: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } {
    const signature = this.#signature;
    const inputIssues = signature?.inputs === undefined ? [] : checkInput(signature.inputs, input);
    const { params, unknown, issues } = enforceParams(signature?.params ?? [], given);
    if (inputIssues.length + issues.length > 0) {
      throw new ValidationError("Cannot take the input", [
        ...inputIssues,
        ...issues.map(({ path, message }) => ({ path: `params.${path}`, message })),
      ]);
    }
    if (unknown.length > 0) this.#warn(unknown);
    return params;
  }

  #warn(unknown: readonly string[]): void {
    const known = this.paramNames.length === 0
      ? "it has none: save it with an input example [input, params]"
      : `it has ${this.paramNames.join(", ")}`;
    const message = `Params passed over, as model "${this.name}" does not have them: ${unknown.join(", ")} (${known})`;
    const { onWarning } = this.#options;
    if (onWarning !== undefined) return onWarning(message);
    // deno-lint-ignore no-console -- what is dropped must be said; hand in `onWarning` to have it elsewhere.
    console.warn(message);
  }
}

/** Looked through here, so that what JSON cannot hold is told as the model's fault, rather than changed or left out. */
function toJson(answer: unknown): JsonValue {
  return toJsonValue(answer, (path, problem) => {
    throw invalidOutput(`${path === "" ? "it" : `"${path}"`} ${problem}`);
  });
}

function invalidOutput(why: string): ChatModelError {
  return new ChatModelError(`Cannot read the model's output: it must be a value that JSON can hold: ${why}`, {
    code: "invalid_model_output",
  });
}
