import { assert, assertEquals, assertInstanceOf, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { ChatModel, ChatModelError, loadChatModel, ModelConfig, setModel } from "../../mod.ts";
import { toChatModel } from "../../chat_model.ts";
import { takeModel } from "../../set_model.ts";
import { Answering, loadAnything, loadMethod, reasonOf, REQUEST, Streaming } from "./_models.ts";
import { NO_SPAN } from "../../call_observer.ts";

class Greeter extends ChatModel {
  override predict(): string {
    return "Hello";
  }
}

/** The same source under another address: what two versions of the package in one program look like. */
const COPY_URL = new URL("../../mod.ts?copy", import.meta.url).href;
const CLASS_COPY_URL = new URL("../../chat_model.ts?copy", import.meta.url).href;
const copy: typeof import("../../mod.ts") = await import(COPY_URL);
const SETTER_COPY_URL = new URL("../../set_model.ts?copy", import.meta.url).href;
const classCopy: typeof import("../../chat_model.ts") = await import(CLASS_COPY_URL);

Deno.test("loadChatModel() takes a class and an instance", async () => {
  for (const source of [Greeter, new Greeter()]) {
    const model = await loadChatModel(source);
    assertEquals(model.name, "Greeter");
    assertEquals((await model.predict(REQUEST)).choices[0]?.message.content, "Hello");
  }
});

Deno.test("loadChatModel() refuses a model that implements neither way, as class and as instance", async () => {
  class Silent extends ChatModel {}
  for (const source of [Silent, new Silent()]) {
    const error = await assertRejects(() => loadChatModel(source), ChatModelError, "neither predict nor predictStream");
    assertEquals(error.code, "invalid_model");
    assert(error.message.includes('"Silent"'), error.message);
  }
});

Deno.test("loadChatModel() refuses a predict that is no function", async () => {
  const error = await assertRejects(() => loadMethod("predict", "Hello"), ChatModelError, "neither");
  assertEquals(error.code, "invalid_model");
});

for (const value of [undefined, null, 5, "demo", {}, [], () => "Hello", class {}, { predict: () => "Hello" }]) {
  Deno.test(`loadChatModel() refuses what is no model: ${typeof value} ${String(value)}`, async () => {
    const error = await assertRejects(() => loadAnything(value), ChatModelError, "Cannot load model");
    assertEquals(error.code, "invalid_model");
  });
}

Deno.test("loadChatModel() hands on what a constructor throws", async () => {
  const failure = new Error("no luck");
  class Failing extends Greeter {
    constructor() {
      super();
      throw failure;
    }
  }
  assert(await reasonOf(loadChatModel(Failing)) === failure);
});

Deno.test("ChatModel: an arrow function in a field counts as implemented", async () => {
  class Field extends ChatModel {
    override predict = () => "Hello";
  }
  const model = await loadChatModel(Field);
  assertEquals((await model.predict(REQUEST)).choices[0]?.message.content, "Hello");
});

Deno.test("ChatModel.predict() and predictStream() work on the bare instance, as routers call them", async () => {
  const context = {
    signal: new AbortController().signal,
    requestId: "r",
    artifacts: {},
    modelConfig: new ModelConfig(),
    span: NO_SPAN,
  };
  const messages = REQUEST.messages;
  class Router extends ChatModel {
    readonly inner: ChatModel;
    constructor(inner: ChatModel) {
      super();
      this.inner = inner;
    }
    override predict(...call: Parameters<ChatModel["predict"]>): ReturnType<ChatModel["predict"]> {
      return this.inner.predict(...call);
    }
    override predictStream(...call: Parameters<ChatModel["predictStream"]>): ReturnType<ChatModel["predictStream"]> {
      return this.inner.predictStream(...call);
    }
  }
  for (const inner of [new Greeter(), new Streaming(() => ["Hel", "lo"])]) {
    const model = await loadChatModel(new Router(inner));
    const response = await model.predict(REQUEST);
    assertEquals(response.choices[0]?.message.content, "Hello");
    assertEquals(response.model, "Router");
    let text = "";
    for await (const chunk of model.predictStream(REQUEST)) text += chunk.choices[0]?.delta.content ?? "";
    assertEquals(text, "Hello");
  }
  class Silent extends ChatModel {}
  assertThrows(() => new Silent().predict(context, messages, {}), ChatModelError, "neither");
  assertThrows(() => new Silent().predictStream(context, messages, {}), ChatModelError, "neither");
});

Deno.test("ChatModel is known by its brand: models of another copy of the package load, and the other way round", async () => {
  assertNotEquals<unknown>(copy.ChatModel, classCopy.ChatModel);
  const { ChatModel: OtherChatModel } = classCopy;
  class Other extends OtherChatModel {
    override predict(): string {
      return "from the copy";
    }
  }
  class OtherStream extends OtherChatModel {
    override *predictStream(): Generator<string> {
      yield "from the copy";
    }
  }
  assert(!(new Other() instanceof ChatModel), "The copy must be a copy for this test to mean anything");
  assert(ChatModel.isInstance(new Other()));
  assert(OtherChatModel.isInstance(new Greeter()));
  for (const source of [Other, new Other(), OtherStream, new OtherStream()]) {
    const model = await loadAnything(source);
    assertEquals((await model.predict(REQUEST)).choices[0]?.message.content, "from the copy");
    let text = "";
    for await (const chunk of model.predictStream(REQUEST)) text += chunk.choices[0]?.delta.content ?? "";
    assertEquals(text, "from the copy");
  }
  // What the copy derives is not taken for the author's own.
  class OtherSilent extends OtherChatModel {}
  await assertRejects(() => loadAnything(OtherSilent), ChatModelError, "neither predict nor predictStream");
  assertEquals((await (await copy.loadChatModel(Greeter)).predict(REQUEST)).choices[0]?.message.content, "Hello");
});

Deno.test("ChatModel.isInstance() is false for classes and for anything else", () => {
  for (const value of [undefined, null, "", 1, {}, Greeter, ChatModel, () => {}]) {
    assertEquals(ChatModel.isInstance(value), false);
  }
});

Deno.test("toChatModel() gives undefined rather than guess", () => {
  assertEquals(toChatModel(class {}), undefined);
  assertEquals(toChatModel(() => new Greeter()), undefined);
  assertInstanceOf(toChatModel(Greeter), Greeter);
});

Deno.test("setModel() keeps an instance or makes one of a class; takeModel() takes it once", () => {
  assertEquals(takeModel(), undefined);
  const model = new Greeter();
  setModel(model);
  assert(takeModel() === model);
  assertEquals(takeModel(), undefined);
  setModel(Greeter);
  assertInstanceOf(takeModel(), Greeter);
});

Deno.test("setModel() of another copy of the package is taken, too", async () => {
  const model = new Greeter();
  const { setModel: otherSetModel }: typeof import("../../set_model.ts") = await import(SETTER_COPY_URL);
  otherSetModel(model);
  assert(takeModel() === model);
});

Deno.test("setModel() refuses what is no model, and keeps what was set", () => {
  const model = new Greeter();
  setModel(model);
  for (const value of [undefined, {}, class {}, "demo"]) {
    assertThrows(() => Reflect.apply(setModel, undefined, [value]), TypeError, "Cannot set model");
  }
  assert(takeModel() === model);
});

Deno.test("loadContext() is called once, before the first prediction, also when it is synchronous", async () => {
  const seen: string[] = [];
  class Prepared extends ChatModel {
    override loadContext(): void {
      seen.push("load");
    }
    override predict(): string {
      seen.push("predict");
      return "x";
    }
  }
  class PreparedLater extends Prepared {
    override async loadContext(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.push("load");
    }
  }
  for (const source of [Prepared, PreparedLater]) {
    seen.length = 0;
    const model = await loadChatModel(source);
    assertEquals(seen, ["load"]);
    await model.predict(REQUEST);
    await model.predict(REQUEST);
    assertEquals(seen, ["load", "predict", "predict"]);
  }
});

Deno.test("loadContext() may return anything, as JavaScript lets it", async () => {
  class Chatty extends Greeter {}
  Object.defineProperty(Chatty.prototype, "loadContext", { value: () => 5 });
  assertEquals((await (await loadChatModel(Chatty)).predict(REQUEST)).choices[0]?.message.content, "Hello");
});

Deno.test("loadContext() that fails hands on its error, and its signal fires", async () => {
  const failure = new Error("no luck");
  for (const isAsync of [false, true]) {
    let signal: AbortSignal | undefined;
    class Failing extends Greeter {
      override loadContext(context: { readonly signal: AbortSignal }): void | Promise<void> {
        signal = context.signal;
        if (isAsync) return Promise.reject(failure);
        throw failure;
      }
    }
    assert(await reasonOf(loadChatModel(Failing)) === failure);
    assertEquals(signal?.aborted, true);
  }
});

Deno.test("loadContext() that hangs ends with the signal's reason, also when it does not look at the signal", async () => {
  class Hanging extends Greeter {
    override loadContext(): Promise<void> {
      return new Promise(() => {});
    }
  }
  const controller = new AbortController();
  const loading = reasonOf(loadChatModel(Hanging, { signal: controller.signal }));
  controller.abort("no more");
  assertEquals(await loading, "no more");
  assertEquals(await reasonOf(loadChatModel(Greeter, { signal: AbortSignal.abort("before") })), "before");
});

Deno.test("loadContext() gets a signal that stays silent after success, and an id", async () => {
  const controller = new AbortController();
  let signal: AbortSignal | undefined;
  let id = "";
  class Prepared extends Answering {
    override loadContext(context: { readonly signal: AbortSignal; readonly requestId: string }): void {
      signal = context.signal;
      id = context.requestId;
    }
  }
  await loadChatModel(new Prepared(() => "x"), { signal: controller.signal });
  controller.abort();
  assertEquals(signal?.aborted, false);
  assert(id.length > 0);
});
