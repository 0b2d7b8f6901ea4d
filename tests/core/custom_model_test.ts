import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  ChatModel,
  ChatModelError,
  CustomModel,
  loadCustomModel,
  type ModelContext,
  TimeoutError,
  ValidationError,
} from "../../mod.ts";
import { LoadedCustomModel } from "../../loaded_custom_model.ts";
import { toModel } from "../../set_model.ts";
import { inferSignature } from "../../signature/mod.ts";

type Params = { readonly [name: string]: unknown };

/** Gives what it got. */
class Echo extends CustomModel {
  override predict(_context: ModelContext, input: unknown, params: Params): unknown {
    return { input, params };
  }
}

class Returning extends CustomModel {
  readonly #output: unknown;

  constructor(output: unknown) {
    super();
    this.#output = output;
  }

  override predict(): unknown {
    return this.#output;
  }
}

/** Waits until no one does any more. */
class Waiting extends CustomModel {
  stopped: unknown;

  override predict(context: ModelContext): Promise<never> {
    return new Promise((_, reject) => {
      context.signal.addEventListener("abort", () => {
        this.stopped = context.signal.reason;
        reject(context.signal.reason);
      });
    });
  }
}

Deno.test("CustomModel.isInstance() tells custom models from chat models", () => {
  class Chat extends ChatModel {
    override predict() {
      return "Hello";
    }
  }
  assert(CustomModel.isInstance(new Echo()));
  assert(!CustomModel.isInstance(new Chat()));
  assert(!ChatModel.isInstance(new Echo()));
  for (const value of [undefined, null, {}, Echo, "model"]) assert(!CustomModel.isInstance(value));
  assertInstanceOf(toModel(Echo), Echo);
  assertInstanceOf(toModel(Chat), Chat);
});

Deno.test("CustomModel of another copy of the package is taken, too", async () => {
  const url = new URL("../../custom_model.ts?copy", import.meta.url).href;
  const copy: typeof import("../../custom_model.ts") = await import(url);
  assert(copy.CustomModel !== CustomModel);
  class Other extends copy.CustomModel {
    override predict(_context: ModelContext, input: unknown): unknown {
      return [input];
    }
  }
  assert(CustomModel.isInstance(new Other()));
  assert(copy.CustomModel.isInstance(new Echo()));
  const loaded = await loadCustomModel(Other);
  assertEquals(await loaded.predict("x"), ["x"]);
});

Deno.test("loadCustomModel() makes an instance and calls loadContext once", async () => {
  let loads = 0;
  class Loading extends Echo {
    override async loadContext(context: ModelContext): Promise<void> {
      await Promise.resolve();
      assertEquals(context.artifacts, { words: "/words.txt" });
      loads++;
    }
  }
  const model = await loadCustomModel(Loading, { artifacts: { words: "/words.txt" } });
  await model.predict("a");
  await model.predict("b");
  assertEquals([loads, model.name, LoadedCustomModel.isInstance(model)], [1, "Loading", true]);
});

Deno.test("loadCustomModel() hands on what loadContext throws, and refuses a signature that cannot be read", async () => {
  const failure = new RangeError("No words");
  class Failing extends Echo {
    override loadContext(): void {
      throw failure;
    }
  }
  assertEquals(await assertRejects(() => loadCustomModel(Failing), RangeError), failure);
  const signature = { inputs: null, outputs: null, params: "[" };
  const error = await assertRejects(() => loadCustomModel(Echo, { signature }), ChatModelError);
  assertEquals(error.code, "invalid_signature");
});

Deno.test("loadCustomModel() names a model by option, its own name, or its class", async () => {
  class Named extends Echo {
    override readonly name = "own";
  }
  const names = [
    await loadCustomModel(Named, { name: "given" }),
    await loadCustomModel(Named),
    await loadCustomModel(Echo),
  ];
  assertEquals(names.map(({ name }) => name), ["given", "own", "Echo"]);
});

Deno.test("loadCustomModel() gives up with the signal's reason", async () => {
  const reason = new Error("No longer wanted");
  const loading = () => loadCustomModel(Echo, { signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(loading), reason);
});

Deno.test("loadCustomModel() refuses a chat model", async () => {
  class Chat extends ChatModel {}
  // @ts-expect-error -- what JavaScript would let through
  const error = await assertRejects(() => loadCustomModel(Chat), ChatModelError);
  assertEquals(error.code, "invalid_model");
});

Deno.test("LoadedCustomModel.predict() fills in defaults, and passes over unknown params with a warning", async () => {
  const warnings: string[] = [];
  const signature = inferSignature({ text: "x" }, { limit: 5, rate: 0.5 });
  const model = await loadCustomModel(Echo, { signature, onWarning: (message) => warnings.push(message) });
  assertEquals(await model.predict({ text: "y" }, { rate: 1, limit: null, zzz: 2 }), {
    input: { text: "y" },
    params: { limit: 5, rate: 1 },
  });
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("zzz"));
});

Deno.test("LoadedCustomModel.predict() passes over params of a model without a signature, and says what to do", async () => {
  const warnings: string[] = [];
  const model = await loadCustomModel(Echo, { onWarning: (message) => warnings.push(message) });
  assertEquals(await model.predict(5, { k: 1 }), { input: 5, params: {} });
  assertEquals(await model.predict(["any"]), { input: ["any"], params: {} });
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("input example"));
});

Deno.test("LoadedCustomModel.predict() keeps what it was given as it was", async () => {
  class Mutating extends CustomModel {
    override predict(_context: ModelContext, _input: unknown, params: Record<string, unknown>): unknown {
      params["k"] = 9;
      return null;
    }
  }
  const model = await loadCustomModel(Mutating, { signature: inferSignature("x", { k: 1 }) });
  const given = { k: 2 };
  await model.predict("x", given);
  assertEquals(given, { k: 2 });
});

Deno.test("LoadedCustomModel.predict() tells all that is wrong with input and params at once", async () => {
  const model = await loadCustomModel(Echo, { signature: inferSignature({ text: "x", n: 1 }, { limit: 5, on: true }) });
  const error = await assertRejects(
    () => model.predict({ text: 7, n: "secret" }, { limit: 2.5, on: "yes" }),
    ValidationError,
  );
  assertEquals(error.issues.map(({ path }) => path), ["text", "n", "params.limit", "params.on"]);
  assert(!error.message.includes("secret"));
});

Deno.test("LoadedCustomModel.predict() does not let one call's default leak into another's", async () => {
  class Mutating extends CustomModel {
    override predict(_context: ModelContext, _input: unknown, { stop }: Params): unknown {
      assert(Array.isArray(stop));
      stop.push("more");
      return stop;
    }
  }
  const model = await loadCustomModel(Mutating, { signature: inferSignature("x", { stop: ["a"] }) });
  assertEquals(await model.predict("x"), ["a", "more"]);
  assertEquals(await model.predict("x"), ["a", "more"]);
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

for (const [name, output] of [["nothing", undefined], ["a function", () => 1], ["a cycle", cyclic], ["a bigint", 1n]]) {
  Deno.test(`LoadedCustomModel.predict() refuses ${name} as output`, async () => {
    const model = await loadCustomModel(new Returning(output));
    const error = await assertRejects(() => model.predict("x"), ChatModelError);
    assertEquals([error.code, error.status], ["invalid_model_output", 500]);
  });
}

Deno.test("LoadedCustomModel.predict() hands on what the model throws", async () => {
  const failure = new RangeError("Out of words");
  class Failing extends CustomModel {
    override predict(): never {
      throw failure;
    }
  }
  const model = await loadCustomModel(Failing);
  assertEquals(await assertRejects(() => model.predict("x"), RangeError), failure);
});

Deno.test("LoadedCustomModel.predict() rejects with the signal's reason and stops the model", async () => {
  const waiting = new Waiting();
  const model = await loadCustomModel(waiting);
  const controller = new AbortController();
  const reason = new Error("No longer wanted");
  const answer = model.predict("x", {}, { signal: controller.signal });
  controller.abort(reason);
  assertEquals(await assertRejects(() => answer), reason);
  assertEquals(waiting.stopped, reason);
});

Deno.test("LoadedCustomModel.predict() gives up after its time limit", async () => {
  const model = await loadCustomModel(Waiting, { timeout: 20 });
  const error = await assertRejects(() => model.predict("x"), TimeoutError);
  assertEquals(error.code, "timeout");
});
