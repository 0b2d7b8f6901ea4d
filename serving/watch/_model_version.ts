import type { CallOwner } from "../../_call.ts";
import { LiveList } from "../../_live_list.ts";
import { LoadedCustomModel } from "../../loaded_custom_model.ts";
import type { PredictOptions } from "../../loaded_chat_model.ts";
import { OverloadedError } from "../../types/mod.ts";
import type { LoadedModel } from "../directory.ts";
import { type CallCounter, CountedCall } from "./_counted_call.ts";
import { type CallHost, CountedChatModel, CountedCustomModel } from "./_counted_models.ts";
import { disposeModel } from "./_load_saved.ts";

/**
 * Milliseconds without a call after which an old version is let go of: a request that asks several times, as one with
 * several prompts does, is to be answered by one version as a whole.
 */
const LINGER = 250;

/** What {@linkcode ModelVersion.retire} comes to. */
export interface Retirement {
  /** Calls that were ended with an error. */
  readonly aborted: number;
  /** What letting go of the model failed with. */
  readonly error?: unknown;
}

/** One version of a model, with the calls that it answers. */
export class ModelVersion implements CallHost, CallCounter {
  /** For people. */
  readonly label: string;
  /** When it was loaded, in seconds since 1970. */
  readonly created: number = Math.floor(Date.now() / 1000);
  /** What is served. */
  readonly model: LoadedModel;
  readonly #inner: LoadedModel;
  readonly #calls = new LiveList<CountedCall>();
  readonly #currentModel: () => LoadedModel | undefined;
  #isGone = false;
  #onChange: (() => void) | undefined;

  /**
   * Takes up a version.
   *
   * @param label Its version, for people.
   * @param inner The model, loaded.
   * @param currentModel The model of the version that is served now, if that goes on.
   */
  constructor(label: string, inner: LoadedModel, currentModel: () => LoadedModel | undefined) {
    this.label = label;
    this.#inner = inner;
    this.#currentModel = currentModel;
    this.model = LoadedCustomModel.isInstance(inner)
      ? new CountedCustomModel(inner, this)
      : new CountedChatModel(inner, this);
  }

  heir(): LoadedModel | undefined {
    if (!this.#isGone) return undefined;
    const current = this.#currentModel();
    if (current !== undefined && current !== this.model) return current;
    throw this.#stopped();
  }

  #stopped(): OverloadedError {
    return new OverloadedError(`Cannot answer: model "${this.model.name}" is served no more`, {
      code: "server_stopping",
    });
  }

  otherKind(): OverloadedError {
    return replaced(`Cannot answer: model "${this.model.name}" was replaced by one of another kind`);
  }

  begin(options: PredictOptions | CallOwner, streams = false): CountedCall {
    const call = new CountedCall(this, options, streams);
    this.#calls.add(call);
    this.#onChange?.();
    return call;
  }

  ended(call: CountedCall): void {
    this.#calls.delete(call);
    this.#onChange?.();
  }

  /**
   * Lets go of the version when its calls are over.
   *
   * @param drainTimeout Milliseconds after which those that still run are ended with an error.
   * @param signal Has it be let go of at once.
   * @returns What came of it.
   */
  async retire(drainTimeout: number, signal: AbortSignal): Promise<Retirement> {
    await this.#drained(drainTimeout, signal);
    this.#isGone = true;
    const late = this.#calls.members();
    const reason = signal.aborted ? this.#stopped() : replaced(
      `Cannot finish the answer: model "${this.model.name}" was replaced, and the answer took more than ${drainTimeout} ms since`,
    );
    for (const call of late) call.abort(reason);
    try {
      await disposeModel(this.#inner);
      return { aborted: late.length };
    } catch (error) {
      return { aborted: late.length, error };
    }
  }

  #drained(drainTimeout: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise<void>((resolve) => {
      let lingering: ReturnType<typeof setTimeout> | undefined;
      const finish = () => {
        this.#onChange = undefined;
        clearTimeout(lingering);
        clearTimeout(late);
        signal.removeEventListener("abort", finish);
        resolve();
      };
      const late = setTimeout(finish, drainTimeout);
      signal.addEventListener("abort", finish);
      this.#onChange = () => {
        clearTimeout(lingering);
        lingering = this.#calls.empty ? setTimeout(finish, LINGER) : undefined;
      };
      this.#onChange();
    });
  }
}

function replaced(message: string): OverloadedError {
  return new OverloadedError(`${message}. Ask again`, { code: "model_replaced" });
}
