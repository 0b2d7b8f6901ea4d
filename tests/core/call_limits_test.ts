import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { ChatModel } from "../../chat_model.ts";
import { type CallLimits, loadChatModel, type LoadedChatModel, type PredictOptions } from "../../loaded_chat_model.ts";
import { TimeoutError } from "../../types/mod.ts";
import { Deaf, obedient, pause, PredictOnly, quick, REQUEST, StreamOnly, type Work } from "./_slow_models.ts";

type Way = (model: LoadedChatModel, options?: PredictOptions) => Promise<string>;

const WAYS: Record<string, Way> = {
  async predict(model, options) {
    return (await model.predict(REQUEST, options)).choices[0]?.message.content ?? "";
  },
  async predictStream(model, options) {
    let text = "";
    for await (const { choices } of model.predictStream(REQUEST, options)) text += choices[0]?.delta.content ?? "";
    return text;
  },
};

/** A model, its limits, and which of them it goes beyond. */
const LATE: readonly (readonly [
  name: string,
  makeModel: (work: Work) => ChatModel & { readonly signal: AbortSignal | undefined },
  limits: CallLimits,
  code: string,
])[] = [
  ["never answers", (work) => new PredictOnly(work), { firstTokenTimeout: 30 }, "first_token_timeout"],
  ["never answers", (work) => new PredictOnly(work), { firstTokenTimeout: 30, idleTimeout: 5 }, "first_token_timeout"],
  ["never answers", (work) => new PredictOnly(work), { timeout: 30 }, "timeout"],
  ["never begins", (work) => new StreamOnly(work), { firstTokenTimeout: 30 }, "first_token_timeout"],
  ["never begins", (work) => new StreamOnly(work), { firstTokenTimeout: 30, idleTimeout: 5 }, "first_token_timeout"],
  ["never begins", (work) => new StreamOnly(work), { timeout: 30 }, "timeout"],
  ["stops midway", (work) => new StreamOnly(quick, work), { idleTimeout: 30 }, "idle_timeout"],
  ["stops midway", (work) => new StreamOnly(quick, work), { idleTimeout: 30, firstTokenTimeout: 0 }, "idle_timeout"],
  ["stops midway", (work) => new StreamOnly(quick, work), { idleTimeout: 30, firstTokenTimeout: 100 }, "idle_timeout"],
  ["stops midway", (work) => new StreamOnly(quick, work), { idleTimeout: 100, firstTokenTimeout: 30 }, "idle_timeout"],
  ["stops after a slow start", (work) => new StreamOnly(() => pause(40), work), { idleTimeout: 30 }, "idle_timeout"],
  ["stops midway", (work) => new StreamOnly(quick, work), { timeout: 30 }, "timeout"],
];

for (const [name, makeModel, limits, code] of LATE) {
  for (const [way, call] of Object.entries(WAYS)) {
    const kind = makeModel(quick).constructor.name;
    const shown = Object.entries(limits).map(([limit, value]) => `${limit} ${value}`).join(", ");

    Deno.test(`LoadedChatModel.${way}() fails with ${code} when a ${kind} ${name} under ${shown}`, async () => {
      const inner = makeModel(obedient);
      const model = await loadChatModel(inner, limits);
      const error = await assertRejects(() => call(model), TimeoutError);
      assertEquals([error.code, error.status], [code, 504]);
      assertStrictEquals(inner.signal?.reason, error);
    });

    Deno.test(`LoadedChatModel.${way}() takes ${shown} from the call when a ${kind} ${name} and ignores the signal`, async () => {
      const deaf = new Deaf();
      const model = await loadChatModel(makeModel(deaf.work), { firstTokenTimeout: 0, idleTimeout: 0, timeout: 0 });
      const error = await assertRejects(() => call(model, limits), TimeoutError);
      assertEquals(error.code, code);
      deaf.release();
    });
  }
}

for (const [way, call] of Object.entries(WAYS)) {
  Deno.test(`LoadedChatModel.${way}() answers when each wait is within its limit, though all are not`, async () => {
    const works = Array.from({ length: 5 }, () => () => pause(60));
    const model = await loadChatModel(new StreamOnly(...works), { firstTokenTimeout: 200, idleTimeout: 200 });
    assertEquals(await call(model), "One".repeat(5));
  });

  Deno.test(`LoadedChatModel.${way}() has no limit where it is 0 or too long for a timer`, async () => {
    for (const limit of [0, 2 ** 31, 1e12, Infinity]) {
      const limits = { firstTokenTimeout: limit, idleTimeout: limit, timeout: limit };
      for (const model of [new StreamOnly(() => pause(20), () => pause(20)), new PredictOnly(() => pause(20))]) {
        assert((await call(await loadChatModel(model, limits))).startsWith("One"));
        assertEquals(model.signal?.aborted, false);
      }
    }
  });

  Deno.test(`LoadedChatModel.${way}() lets a limit of the call win over that of the model`, async () => {
    const limits = { firstTokenTimeout: 10, idleTimeout: 10, timeout: 10 };
    const model = await loadChatModel(new StreamOnly(() => pause(60), () => pause(60)), limits);
    assertEquals(await call(model, { firstTokenTimeout: 0, idleTimeout: 5_000, timeout: 0 }), "OneOne");
  });

  Deno.test(`LoadedChatModel.${way}() does not count the wait for a predict-only model as idle`, async () => {
    const model = await loadChatModel(new PredictOnly(() => pause(80)), { idleTimeout: 10 });
    assertEquals(await call(model), "One");
  });
}

Deno.test("LoadedChatModel.predictStream() does not cut a consumer that takes longer than the idle timeout", async () => {
  for (const makeWork of [() => quick, () => () => pause(5)]) {
    const inner = new StreamOnly(makeWork(), makeWork(), makeWork());
    const model = await loadChatModel(inner, { firstTokenTimeout: 50, idleTimeout: 50 });
    let text = "";
    for await (const { choices } of model.predictStream(REQUEST)) {
      text += choices[0]?.delta.content ?? "";
      await pause(80);
    }
    assertEquals(text, "OneOneOne");
    assertEquals(inner.signal?.aborted, false);
  }
});

Deno.test("LoadedChatModel.predictStream() does not count the time before it is read", async () => {
  const model = await loadChatModel(new StreamOnly(quick, quick), {
    firstTokenTimeout: 20,
    idleTimeout: 20,
    timeout: 500,
  });
  const stream = model.predictStream(REQUEST);
  await pause(60);
  const chunks = await Array.fromAsync(stream);
  assertEquals(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), "OneOne");
});

Deno.test("LoadedChatModel.predictStream() fails with the total limit also while no one reads", async () => {
  const inner = new StreamOnly(quick, quick, quick);
  const model = await loadChatModel(inner, { timeout: 40 });
  const stream = model.predictStream(REQUEST);
  await stream.next();
  await pause(100);
  assertEquals(inner.signal?.aborted, true, "the model was not told");
  const error = await assertRejects(() => Array.fromAsync(stream), TimeoutError);
  assertEquals(error.code, "timeout");
  assertEquals(await stream.next(), { done: true, value: undefined });
  assertEquals(inner.left, 1);
});
