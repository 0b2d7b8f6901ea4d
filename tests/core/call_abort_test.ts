import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { loadChatModel, type LoadedChatModel, type PredictOptions } from "../../loaded_chat_model.ts";
import { Deaf, obedient, pause, PredictOnly, quick, REQUEST, StreamOnly, unhandledDuring } from "./_slow_models.ts";

const WAYS: Record<string, (model: LoadedChatModel, options?: PredictOptions) => Promise<unknown>> = {
  predict: (model, options) => model.predict(REQUEST, options),
  async predictStream(model, options) {
    for await (const _ of model.predictStream(REQUEST, options));
  },
};

/** What signals fire with: it must come out as it is. */
const REASONS: readonly unknown[] = [new Error("enough"), "enough", { why: "enough" }, 0, null];

/** What a promise rejects with, in a box, as it may be anything. */
async function rejection(promise: Promise<unknown>): Promise<{ readonly reason: unknown } | "fulfilled"> {
  try {
    await promise;
    return "fulfilled";
  } catch (reason) {
    return { reason };
  }
}

for (const [way, call] of Object.entries(WAYS)) {
  for (const Model of [PredictOnly, StreamOnly]) {
    Deno.test(`LoadedChatModel.${way}() rejects with the signal's own reason, which a ${Model.name} hears too`, async () => {
      for (const reason of REASONS) {
        const controller = new AbortController();
        const inner = new Model(obedient);
        const result = rejection(call(await loadChatModel(inner), { signal: controller.signal }));
        await pause(5);
        controller.abort(reason);
        assertEquals(await result, { reason });
        assert(inner.signal?.aborted);
        assertStrictEquals(inner.signal.reason, reason);
      }
    });

    Deno.test(`LoadedChatModel.${way}() does not call a ${Model.name} when the signal has fired before`, async () => {
      for (const reason of REASONS) {
        const inner = new Model(quick);
        const model = await loadChatModel(inner);
        assertEquals(await rejection(call(model, { signal: AbortSignal.abort(reason) })), { reason });
        assertEquals(inner.calls, 0);
      }
    });

    Deno.test(`LoadedChatModel.${way}() does not wait for a ${Model.name} that ignores the signal`, async () => {
      const unhandled = await unhandledDuring(async () => {
        for (const ending of ["answers late", "fails late"]) {
          const controller = new AbortController();
          const deaf = new Deaf();
          const inner = new Model(deaf.work);
          const result = rejection(call(await loadChatModel(inner), { signal: controller.signal }));
          await pause(5);
          controller.abort("enough");
          assertEquals(await result, { reason: "enough" }); // the model still sits there
          if (ending === "answers late") deaf.release();
          else deaf.fail(new Error("late"));
          await pause(1);
        }
      });
      assertEquals(unhandled, []);
    });

    Deno.test(`LoadedChatModel.${way}() handles the failure of a ${Model.name} once`, async () => {
      const failure = new Error("broken");
      const unhandled = await unhandledDuring(async () => {
        for (const wait of [0, 20]) {
          const inner = new Model(async () => {
            if (wait > 0) await pause(wait);
            throw failure;
          });
          const { signal } = new AbortController();
          assertEquals(await rejection(call(await loadChatModel(inner), { signal })), { reason: failure });
          assert(inner.signal?.aborted, "a call that failed is over");
        }
      });
      assertEquals(unhandled, []);
    });

    Deno.test(`LoadedChatModel.${way}() lets go of the signal when a ${Model.name} has answered or failed`, async () => {
      const { signal } = new AbortController();
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...parameters: Parameters<typeof add>) => {
        listeners++;
        add(...parameters);
      };
      signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
        listeners--;
        remove(...parameters);
      };
      const good = await loadChatModel(new Model(() => pause(5)));
      const bad = await loadChatModel(new Model(() => pause(5).then(() => Promise.reject("broken"))));
      const answered = call(good, { signal });
      assertEquals(listeners, 1);
      await answered;
      assertEquals(await rejection(call(bad, { signal })), { reason: "broken" });
      assertEquals(listeners, 0);
    });

    Deno.test(`LoadedChatModel.${way}() leaves the signal of a ${Model.name} unfired when all went well`, async () => {
      const inner = new Model(() => pause(5));
      const controller = new AbortController();
      await call(await loadChatModel(inner), { signal: controller.signal });
      controller.abort("late");
      assertEquals(inner.signal?.aborted, false);
    });
  }
}

Deno.test("LoadedChatModel.predictStream() rejects with the reason when the signal fires between two reads", async () => {
  const controller = new AbortController();
  const inner = new StreamOnly(quick, obedient);
  const stream = (await loadChatModel(inner)).predictStream(REQUEST, { signal: controller.signal });
  await stream.next();
  controller.abort("enough");
  assertEquals(inner.signal?.reason, "enough");
  assertEquals(await rejection(Array.fromAsync(stream)), { reason: "enough" });
  assertEquals(await stream.next(), { done: true, value: undefined });
  await pause(1);
  assertEquals(inner.left, 1);
});

Deno.test("LoadedChatModel.predictStream() tells the model when the loop is left", async () => {
  const inner = new StreamOnly(quick, quick, quick);
  const model = await loadChatModel(inner);
  for await (const _ of model.predictStream(REQUEST)) break;
  assertEquals(inner.signal?.aborted, true);
  assert(inner.signal?.reason instanceof DOMException && inner.signal.reason.name === "AbortError");
  await pause(1);
  assertEquals(inner.left, 1);
});

Deno.test("LoadedChatModel.predictStream() ends at once when it is returned while the model thinks", async () => {
  for (const deaf of [false, true]) {
    const stuck = new Deaf();
    const inner = new StreamOnly(quick, deaf ? stuck.work : obedient);
    const unhandled = await unhandledDuring(async () => {
      const stream = (await loadChatModel(inner)).predictStream(REQUEST);
      while ((await stream.next()).value?.choices[0]?.delta.content !== "One");
      const waiting = stream.next();
      await pause(1);
      assertEquals(await stream.return(), { done: true, value: undefined });
      assertEquals(await waiting, { done: true, value: undefined });
      assertEquals(inner.signal?.aborted, true);
      stuck.release();
    });
    assertEquals([unhandled, inner.left], [[], 1]);
  }
});

Deno.test("loadChatModel() gives up loading with the signal's own reason, also when the model ignores it", async () => {
  for (const work of [obedient, new Deaf().work]) {
    const controller = new AbortController();
    class Slow extends PredictOnly {
      override async loadContext(context: Parameters<PredictOnly["loadContext"]>[0]): Promise<void> {
        await work(context);
      }
    }
    const result = rejection(loadChatModel(new Slow(quick), { signal: controller.signal }));
    await pause(1);
    controller.abort("enough");
    assertEquals(await result, { reason: "enough" });
  }
});
