import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ChatModel, CustomModel, LoadedChatModel, LoadedCustomModel, type ModelContext } from "../../../mod.ts";
import { loadChatModel } from "../../../loaded_chat_model.ts";
import { loadCustomModel } from "../../../loaded_custom_model.ts";
import { ChatModelError, ValidationError } from "../../../types/mod.ts";
import { describeWatchEvent, WatchedModels, type WatchEvent, type WatchOptions } from "../../../serving/watch/mod.ts";
import { CountedChatModel, CountedCustomModel } from "../../../serving/watch/_counted_models.ts";
import type { CallEnd, StartedCall } from "../../../call_observer.ts";
import { createApp } from "../../../serve.ts";
import type { RequestRecord } from "../../../serving/request_record.ts";
import { makeFolder } from "../../models/_folder.ts";
import { ask, readEvents, until } from "../_stack.ts";
import { answerNow, answerOf, registered, serveWatched, source } from "./_watch.ts";

/** Opens a stream that does not end by itself. */
async function hold(server: { readonly url: string }) {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "assistant", stream: true, messages: [{ role: "user", content: "hold" }] }),
  });
  const reader = response.body?.getReader();
  assert(reader !== undefined);
  const first = await reader.read();
  const decoder = new TextDecoder();
  let text = decoder.decode(first.value, { stream: true });
  return {
    /** Reads to the end. */
    async rest() {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return readEvents(text);
        text += decoder.decode(value, { stream: true });
      }
    },
    /** Leaves. */
    leave: () => reader.cancel(),
  };
}

Deno.test("WatchedModels lets a long stream go on with the old version, and lets go of that when it is over", async () => {
  await using registry = await registered();
  await registry.add(source("one"));
  await registry.add(source("two"));
  await registry.point("1");
  await using server = await serveWatched("models:/assistant@live");
  const stream = await hold(server);
  await registry.point("2");
  await server.heard("swapped 1 2");
  assertEquals(await answerNow(server, true), answerOf("two"));
  await new Promise((resolve) => setTimeout(resolve, 400));
  assertEquals(server.told(), ["loading 1 2", "swapped 1 2"]);
  await stream.leave();
  await server.heard("drained 1");
  assertEquals(server.events.at(-1), { name: "assistant", kind: "drained", from: "1", aborted: 0 });
  assertEquals(server.errors, []);
});

Deno.test("WatchedModels ends what still runs after drainTimeout with an error", async () => {
  await using registry = await registered();
  await registry.add(source("one"));
  await registry.add(source("two"));
  await registry.point("1");
  await using server = await serveWatched("models:/assistant@live", { drainTimeout: 100 });
  const stream = await hold(server);
  const whole = ask(server, { model: "assistant", prompt: "hold" });
  await new Promise((resolve) => setTimeout(resolve, 50)); // Until it runs.
  await registry.point("2");
  await server.heard("drained 1");
  assertEquals(server.events.at(-1), { name: "assistant", kind: "drained", from: "1", aborted: 2 });
  const { error, content } = await stream.rest();
  const { code, type } = Object(error);
  assertEquals([code, type], ["model_replaced", "server_error"]);
  assertEquals(new Set(content.split(" ")), new Set(["one"]));
  const refused = await whole;
  assertEquals([refused.status, Object(refused.error).code], [503, "model_replaced"]);
  assertEquals(await answerNow(server), answerOf("two"));
});

/** Models that a loader of the test's own makes: each notes what becomes of it. */
class Held extends LoadedChatModel {
  isDisposed = false;

  override async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    if (this.isDisposed) throw new Error("Disposed of twice");
    this.isDisposed = true;
  }
}

class Asked extends ChatModel {
  override async predict(_context: ModelContext): Promise<string> {
    await Promise.resolve();
    return "chat";
  }

  override embed(): number[][] {
    return [[1, 2]];
  }
}

class Custom extends CustomModel {
  override predict(): string {
    return "custom";
  }
}

Deno.test("WatchedModels disposes of each version once, and answers those by the new one who found an old one", async () => {
  await using registry = await registered();
  await registry.add(source("one"));
  await registry.add(source("two"));
  await registry.point("1");
  const held: Held[] = [];
  const events: WatchEvent[] = [];
  const options: WatchOptions = {
    interval: 10,
    onEvent: (event) => events.push(event),
    load(_uri, { name }) {
      const model = new Held(new Asked(), { predict: true, predictStream: false }, { name });
      held.push(model);
      return Promise.resolve(model);
    },
  };
  const models = await WatchedModels.open(new Map([["assistant", "models:/assistant@live"]]), options);
  const old = await models.find("assistant");
  assert(LoadedChatModel.isInstance(old));
  await registry.point("2");
  await until(() => events.some(({ kind }) => kind === "drained"), "the end of the first");
  assertEquals(held.map(({ isDisposed }) => isDisposed), [true, false]);
  const request = { messages: [{ role: "user" as const, content: "Hi" }] };
  assertEquals((await old.predict(request)).choices[0]?.message.content, "chat");
  assertEquals((await Array.fromAsync(old.predictStream(request))).length, 3);
  assertEquals((await old.embed({ input: "Hi" })).data.length, 1);
  await models.close();
  await models.close();
  assertEquals(held.map(({ isDisposed }) => isDisposed), [true, true]);
  const error = await assertRejects(() => old.predict(request), ChatModelError);
  assertEquals(error.code, "server_stopping");
});

Deno.test("WatchedModels serves a version of the other kind, and refuses those who found the first", async () => {
  await using registry = await registered();
  await registry.add(source("one"));
  await registry.add(source("two"));
  await registry.point("1");
  const events: WatchEvent[] = [];
  await using models = await WatchedModels.open(new Map([["assistant", "models:/assistant@live"]]), {
    interval: 10,
    onEvent: (event) => events.push(event),
    load: (uri, { name }) => uri.endsWith("/1") ? loadChatModel(Asked, { name }) : loadCustomModel(Custom, { name }),
  });
  const old = await models.find(undefined);
  assert(LoadedChatModel.isInstance(old));
  assertEquals(models.list().map(({ id }) => id), ["assistant"]);
  await registry.point("2");
  await until(() => events.some(({ kind }) => kind === "drained"), "the end of the first");
  const now = await models.find("assistant:latest");
  assert(LoadedCustomModel.isInstance(now));
  assertEquals(await now.predict({}), "custom");
  assertEquals(models.list(), []);
  const request = { messages: [{ role: "user" as const, content: "Hi" }] };
  assertEquals((await assertRejects(() => old.predict(request), ChatModelError)).code, "model_replaced");
});

Deno.test("WatchedModels serves what is no text as it is, in the order given", async () => {
  await using folder = await makeFolder({ "model.ts": source("one") });
  await using models = await WatchedModels.open(
    new Map<string, string | typeof Asked>([["asked", Asked], ["file", join(folder.path, "model.ts")]]),
  );
  assertEquals(models.list().map(({ id }) => id), ["asked", "file"]);
  const first = await models.find(undefined);
  assertEquals(first?.name, "asked");
  assertEquals((await models.find("file"))?.name, "file");
  assertEquals(models.find("other"), undefined);
});

Deno.test("WatchedModels.open() refuses options that cannot be, all of them", async () => {
  const error = await assertRejects(
    () => WatchedModels.open(new Map(), { interval: 0, lookTimeout: NaN, drainTimeout: -1, fileInterval: 2 ** 31 }),
    ValidationError,
  );
  assertEquals(error.issues.map(({ path }) => path), ["interval", "fileInterval", "lookTimeout", "drainTimeout"]);
});

Deno.test("WatchedModels hands on what a call is given: signal, observer, id; and the app's measures", async () => {
  await using folder = await makeFolder({ "model.ts": source("one") });
  await using models = await WatchedModels.open(new Map([["assistant", join(folder.path, "model.ts")]]));
  const model = await models.find(undefined);
  assert(LoadedChatModel.isInstance(model));
  const request = { messages: [{ role: "user" as const, content: "hold" }] };
  const reason = new Error("Enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  const given = await assertRejects(() => model.predict(request, { signal: controller.signal }), Error);
  assert(given === reason);
  assert(await assertRejects(() => model.predict(request, { signal: controller.signal }), Error) === reason);
  const timeout = await assertRejects(() => Array.fromAsync(model.predictStream(request, { timeout: 20 })), Error);
  assertEquals(timeout.name, "TimeoutError");

  const told: string[] = [];
  const options = {
    requestId: "req_1",
    requestContext: { session: "s1" },
    observer: {
      begin({ requestId, requestContext }: StartedCall) {
        told.push(`begin ${requestId} ${requestContext?.session}`);
        return { chunks: () => void told.push("chunks"), end: ({ outcome }: CallEnd) => void told.push(outcome) };
      },
    },
  };
  await Array.fromAsync(model.predictStream({ messages: [{ role: "user", content: "Hi" }] }, options));
  assertEquals([...new Set(told)], ["begin req_1 s1", "chunks", "completed"]);
  assertEquals(told.filter((line) => line === "completed").length, 1);

  const records: RequestRecord[] = [];
  const app = createApp(models, { onRequest: (record) => void records.push(record) });
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "Hi" }] });
  await (await app.fetch(new Request("http://localhost/v1/chat/completions", { method: "POST", body }))).text();
  assertEquals([records.length, records[0]?.status], [1, 200]);
  assert(records[0]?.timeToFirstToken !== undefined);
});

Deno.test("CountedChatModel and CountedCustomModel stand for all that loaded models do", () => {
  const methods = (type: { readonly prototype: object }) =>
    Object.entries(Object.getOwnPropertyDescriptors(type.prototype))
      .filter(([, { value }]) => typeof value === "function").map(([name]) => name).sort();
  assertEquals(methods(CountedChatModel), methods(LoadedChatModel));
  assertEquals(methods(CountedCustomModel), methods(LoadedCustomModel));
});

Deno.test("describeWatchEvent() tells each event in one line", () => {
  const error = new Error("No\nweights\x1b[31m");
  const common = { name: "assistant", from: "1" };
  const events: WatchEvent[] = [
    { ...common, kind: "loading", to: "2" },
    { ...common, kind: "superseded", to: "2" },
    { ...common, kind: "swapped", to: "2", loadTime: 12.4 },
    { ...common, kind: "failed", to: "2", error },
    { ...common, kind: "drained", aborted: 3, error },
    { ...common, kind: "unreachable", error },
    { ...common, kind: "reachable" },
  ];
  const lines = events.map(describeWatchEvent);
  assertEquals(lines.filter((line) => /\p{Cc}/u.test(line) || line.endsWith(".") || !line.includes('"assistant"')), []);
  assertEquals(lines[3], 'Cannot take up model "assistant", version 2: version 1 goes on serving: No weights[31m');
});
