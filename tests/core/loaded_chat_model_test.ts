import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  type ChatMessage,
  type ChatParams,
  loadChatModel,
  type ModelContext,
  parseChatRequest,
  TimeoutError,
  ValidationError,
} from "../../mod.ts";
import { Answering, reasonOf, REQUEST, Streaming } from "./_models.ts";

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

Deno.test("LoadedChatModel.predict() reports all that is wrong with a request, and does not call the model", async () => {
  let calls = 0;
  const model = await loadChatModel(new Answering(() => `call ${++calls}`));
  const wrong: unknown = { messages: [{ role: "bot", content: "secret" }], temperature: 5, stop: 7 };
  const check = (error: ValidationError) => {
    assertEquals(error.issues.map(({ path }) => path), ["messages.0.role", "temperature", "stop"]);
    assertEquals([error.status, error.param], [400, "messages.0.role"]);
    assert(!error.message.includes("secret"), error.message);
  };
  check(await assertRejects(() => Reflect.apply(model.predict, model, [wrong]), ValidationError));
  check(assertThrows(() => Reflect.apply(model.predictStream, model, [wrong]), ValidationError));
  for (const nothing of [undefined, null, "Hello", [], {}]) {
    await assertRejects(() => Reflect.apply(model.predict, model, [nothing]), ValidationError);
  }
  assertEquals(calls, 0);
});

Deno.test("LoadedChatModel takes a ChatRequest without looking at it again", async () => {
  let seen: readonly ChatMessage[] | undefined;
  const model = await loadChatModel(
    new Answering((_context, messages) => {
      seen = messages;
      return "x";
    }),
  );
  const request = parseChatRequest(REQUEST);
  await model.predict(request);
  assert(seen === request.messages, "The same array means that nothing was parsed anew");
  seen = undefined;
  await Array.fromAsync(model.predictStream(request));
  assert(seen === request.messages);
});

Deno.test("LoadedChatModel hands unknown fields on as params.extra, and leaves out what is null", async () => {
  const seen: ChatParams[] = [];
  const model = await loadChatModel(
    new Answering((_context, _messages, params) => {
      seen.push(params);
      return "x";
    }),
  );
  await model.predict({ ...REQUEST, model: "m", temperature: 0, num_ctx: 8192, options: { a: null } });
  await Reflect.apply(model.predict, model, [{ ...REQUEST, max_tokens: null, top_p: null }]);
  assertEquals(seen, [{ temperature: 0, extra: { num_ctx: 8192, options: { a: null } } }, {}]);
});

Deno.test("LoadedChatModel: the author's model name wins, then the request's, then the name it was loaded by", async () => {
  const plain = await loadChatModel(new Answering(() => "x"), { name: "loaded" });
  const named = await loadChatModel(
    new Answering(() => ({ model: "own", choices: [{ message: { content: "x" } }] })),
    { name: "loaded" },
  );
  const streamed = await loadChatModel(new Streaming(() => ["x"]), { name: "loaded" });
  assertEquals((await plain.predict(REQUEST)).model, "loaded");
  assertEquals((await plain.predict({ ...REQUEST, model: "asked" })).model, "asked");
  assertEquals((await named.predict({ ...REQUEST, model: "asked" })).model, "own");
  assertEquals((await streamed.predict({ ...REQUEST, model: "asked" })).model, "asked");
  for (const [model, expected] of [[plain, "asked"], [named, "own"], [streamed, "asked"]] as const) {
    for await (const chunk of model.predictStream({ ...REQUEST, model: "asked" })) assertEquals(chunk.model, expected);
  }
});

Deno.test("ModelContext has the request's id, or a new one for each call", async () => {
  const ids: string[] = [];
  const take = (context: ModelContext) => {
    ids.push(context.requestId);
    assertEquals(context.requestId, ids.at(-1), "It stays the same within a call");
    return "x";
  };
  const model = await loadChatModel(new Answering(take));
  await model.predict(REQUEST, { requestId: "mine" });
  await Array.fromAsync(model.predictStream(REQUEST, { requestId: "mine too" }));
  await model.predict(REQUEST);
  await model.predict(REQUEST);
  assertEquals(ids.slice(0, 2), ["mine", "mine too"]);
  assertMatch(ids[2] ?? "", /^req_.+/);
  assert(ids[2] !== ids[3]);
});

Deno.test("LoadedChatModel does not begin what is aborted already", async () => {
  let calls = 0;
  const model = await loadChatModel(new Answering(() => `${++calls}`));
  const signal = AbortSignal.abort("before");
  assertEquals(await reasonOf(model.predict(REQUEST, { signal })), "before");
  assertEquals(assertThrowsAny(() => model.predictStream(REQUEST, { signal })), "before");
  assertEquals(calls, 0);
});

Deno.test("LoadedChatModel.predict() ends with the signal's reason, whether or not the model looks at the signal", async () => {
  const sources = [
    new Answering(() => never()),
    new Answering(({ signal }) => {
      signal.throwIfAborted();
      return never();
    }),
    new Streaming(async function* () {
      yield "a";
      await never();
    }),
    new Streaming(async function* ({ signal }) {
      signal.throwIfAborted();
      yield await never<string>();
    }),
  ];
  for (const source of sources) {
    const model = await loadChatModel(source);
    for (const delay of [undefined, 0, 5]) {
      for (const stream of [false, true]) {
        const controller = new AbortController();
        const { signal } = controller;
        const running = reasonOf(
          stream ? Array.fromAsync(model.predictStream(REQUEST, { signal })) : model.predict(REQUEST, { signal }),
        );
        if (delay === undefined) controller.abort("gone");
        else setTimeout(() => controller.abort("gone"), delay);
        assertEquals(await within(running), "gone");
      }
    }
  }
});

Deno.test("ModelContext.signal fires with the reason when the caller leaves, and not when all went well", async () => {
  let signal: AbortSignal | undefined;
  const model = await loadChatModel(
    new Streaming(async function* (context) {
      signal = context.signal;
      yield "a";
      yield await Promise.resolve("b");
    }),
  );
  const controller = new AbortController();
  await Array.fromAsync(model.predictStream(REQUEST, { signal: controller.signal }));
  controller.abort();
  assertEquals(signal?.aborted, false);
  for await (const _ of model.predictStream(REQUEST)) break;
  assertEquals(signal?.aborted, true);
  assertEquals(signal?.reason?.name, "AbortError");
});

Deno.test("LoadedChatModel leaves nothing behind when predictStream throws at once", async () => {
  // Timers and listeners that were left would fail the sanitizers, or this count.
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const { addEventListener: add, removeEventListener: remove } = AbortSignal.prototype;
  Object.defineProperty(signal, "addEventListener", {
    value: (...call: Parameters<typeof add>) => (listeners++, Reflect.apply(add, signal, call)),
  });
  Object.defineProperty(signal, "removeEventListener", {
    value: (...call: Parameters<typeof remove>) => (listeners--, Reflect.apply(remove, signal, call)),
  });
  const model = await loadChatModel(
    new Streaming((context) => {
      context.signal.throwIfAborted();
      throw new Error("no luck");
    }),
    { timeout: 60_000 },
  );
  await assertRejects(() => model.predict(REQUEST, { signal }), Error, "no luck");
  await assertRejects(() => Array.fromAsync(model.predictStream(REQUEST, { signal })), Error, "no luck");
  assertEquals(listeners, 0);
});

Deno.test("CallLimits: a silent model runs into firstTokenTimeout, and its signal fires with it", async () => {
  let signal: AbortSignal | undefined;
  const sources = [
    new Answering((context) => {
      signal = context.signal;
      return never();
    }),
    new Streaming(async function* (context) {
      signal = context.signal;
      yield await never<string>();
    }),
  ];
  for (const source of sources) {
    const model = await loadChatModel(source, { firstTokenTimeout: 20 });
    const error = await within(reasonOf(model.predict(REQUEST)));
    assert(error instanceof TimeoutError);
    assertEquals([error.code, error.status], ["first_token_timeout", 504]);
    assert(signal?.reason === error);
    const streamed = await within(reasonOf(Array.fromAsync(model.predictStream(REQUEST))));
    assert(streamed instanceof TimeoutError);
  }
});

Deno.test("CallLimits: a model that stops midway runs into idleTimeout, however long the first token may take", async () => {
  const stuck = new Streaming(async function* () {
    yield "a";
    await never();
  });
  for (const firstTokenTimeout of [0, 60_000]) {
    const model = await loadChatModel(stuck, { firstTokenTimeout, idleTimeout: 20 });
    const error = await within(reasonOf(model.predict(REQUEST)));
    assert(error instanceof TimeoutError);
    assertEquals(error.code, "idle_timeout");
    assertMatch(error.message, /20 ms/);
  }
});

Deno.test("CallLimits: timeout ends a model that never stops; the call's limit wins over the model's", async () => {
  const model = await loadChatModel(
    new Streaming(async function* () {
      for (;;) yield await new Promise<string>((resolve) => setTimeout(() => resolve("a"), 1));
    }),
    { timeout: 60_000 },
  );
  const error = await within(reasonOf(model.predict(REQUEST, { timeout: 20 })));
  assert(error instanceof TimeoutError);
  assertEquals(error.code, "timeout");
  await new Promise((resolve) => setTimeout(resolve, 5)); // The model's own last timer.
});

Deno.test("CallLimits: a slow reader is not the model's fault", async () => {
  const model = await loadChatModel(
    new Streaming(async function* () {
      yield await Promise.resolve("a");
      yield await Promise.resolve("b");
    }),
    { idleTimeout: 10, firstTokenTimeout: 10 },
  );
  let text = "";
  for await (const chunk of model.predictStream(REQUEST)) {
    text += chunk.choices[0]?.delta.content ?? "";
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assertEquals(text, "ab");
});

/** Fails rather than hangs. */
async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("Nothing happened within 5 s")), 5_000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function assertThrowsAny(action: () => unknown): unknown {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("It did not throw");
}
