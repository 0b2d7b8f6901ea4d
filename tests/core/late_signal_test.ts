import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ChatModel, type ModelContext } from "../../chat_model.ts";
import { loadChatModel, type LoadedChatModel, type PredictOptions } from "../../loaded_chat_model.ts";
import { TimeoutError } from "../../types/mod.ts";
import { REQUEST } from "./_slow_models.ts";

/** Works on something else first, as one that searches before it asks, and looks at the signal only then. */
class Late extends ChatModel {
  readonly #gate = Promise.withResolvers<void>();
  readonly #seen = Promise.withResolvers<AbortSignal>();

  /** Lets it go on, and gives the signal that it sees. */
  look(): Promise<AbortSignal> {
    this.#gate.resolve();
    return this.#seen.promise;
  }

  protected async work(context: ModelContext): Promise<string> {
    await this.#gate.promise;
    this.#seen.resolve(context.signal);
    return "One";
  }
}

class LatePredict extends Late {
  override predict(context: ModelContext): Promise<string> {
    return this.work(context);
  }
}

class LateStream extends Late {
  override async *predictStream(context: ModelContext): AsyncGenerator<string> {
    yield await this.work(context);
  }
}

const CALLS: Readonly<Record<string, (model: LoadedChatModel, options?: PredictOptions) => Promise<unknown>>> = {
  predict: (model, options) => model.predict(REQUEST, options),
  async predictStream(model, options) {
    for await (const _ of model.predictStream(REQUEST, options));
  },
};

for (const [way, call] of Object.entries(CALLS)) {
  for (const Model of [LatePredict, LateStream]) {
    Deno.test(`LoadedChatModel.${way}() shows a ${Model.name} that its caller left before it looked`, async () => {
      const inner = new Model();
      const controller = new AbortController();
      const result = call(await loadChatModel(inner), { signal: controller.signal }).catch((reason) => reason);
      setTimeout(() => controller.abort("enough"), 10);
      assertEquals(await result, "enough");
      const signal = await inner.look();
      assert(signal.aborted);
      assertEquals(signal.reason, "enough");
    });

    Deno.test(`LoadedChatModel.${way}() shows a ${Model.name} that its time was over before it looked`, async () => {
      const inner = new Model();
      const error = await call(await loadChatModel(inner), { firstTokenTimeout: 10 }).catch((reason) => reason);
      assert(error instanceof TimeoutError);
      const signal = await inner.look();
      assert(signal.aborted);
      assertStrictEquals(signal.reason, error);
    });

    Deno.test(`LoadedChatModel.${way}() shows a ${Model.name} that looks late nothing if all is well`, async () => {
      const inner = new Model();
      const result = call(await loadChatModel(inner));
      assert(!(await inner.look()).aborted);
      await result;
    });
  }
}

Deno.test("LoadedChatModel.predictStream() shows a model that its stream was left before it looked", async () => {
  const inner = new LateStream();
  const stream = (await loadChatModel(inner)).predictStream(REQUEST);
  const first = stream.next();
  const left = stream.return();
  const signal = await inner.look();
  assert(signal.aborted);
  await Promise.all([first, left]);
});
