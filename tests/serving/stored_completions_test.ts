/** Chat completions that are kept: what clients get of them, and what they may change. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { PermissionDeniedError } from "openai";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import type { PredictPart } from "../../mod.ts";
import type { App, ResponseStore, StoredAnswer } from "../../serve.ts";
import { MemoryResponseStore } from "../../serve.ts";
import { validateBody } from "../conformance_openai/_schema.ts";
import { serveModels } from "../clients/_served.ts";
import { type Answered, ask, assertError, events, Parrot, post, Scripted, send, testApp } from "./_app.ts";

const COMPLETIONS = "/v1/chat/completions";

async function keep(app: App, content: string, rest: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { json, status, text } = await post(app, ask(content, { store: true, ...rest }));
  assertEquals(status, 200, text);
  return json.id;
}

function get(app: App, path: string): Promise<Answered> {
  return send(app, path);
}

function twoModels(): Record<string, Parrot> {
  return { one: new Parrot("one"), two: new Parrot("two") };
}

async function list(app: App, query = ""): Promise<readonly string[]> {
  const { status, json, text } = await get(app, `${COMPLETIONS}${query}`);
  assertEquals(status, 200, text);
  validateBody("ChatCompletionList", json);
  const { data } = json;
  assert(Array.isArray(data));
  return data.map(({ id }) => id);
}

Deno.test("POST /v1/chat/completions keeps an answer that is to be kept, and GET gives it again", async () => {
  const app = testApp();
  const { json: sent } = await post(app, ask("Hi", { store: true, metadata: { topic: "greeting" } }));
  const { status, json } = await get(app, `${COMPLETIONS}/${sent.id}`);
  assertEquals(status, 200);
  assertEquals(json, { ...sent, metadata: { topic: "greeting" } });
  validateBody("CreateChatCompletionResponse", json);
});

Deno.test("POST /v1/chat/completions keeps nothing unless told to", async () => {
  const app = testApp();
  for (const rest of [{}, { store: false }, { store: null }, { metadata: { a: "b" } }]) {
    const { json } = await post(app, ask("Hi", rest));
    assertError(await get(app, `${COMPLETIONS}/${json.id}`), 404, "completion_not_found");
  }
  assertEquals(await list(app), []);
});

Deno.test("POST /v1/chat/completions keeps a streamed answer before it tells the end", async () => {
  const store = new MemoryResponseStore();
  const slow: ResponseStore = {
    get: (id) => store.get(id),
    list: (query) => store.list(query),
    delete: (id) => store.delete(id),
    async set(answer) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      store.set(answer);
    },
  };
  const app = testApp({ demo: DemoChatModel }, { responseStore: slow });
  const request = new Request(`http://server.test${COMPLETIONS}`, {
    method: "POST",
    body: JSON.stringify(ask("Hi there", { store: true, stream: true, n: 2, metadata: { a: "b" } })),
  });
  const response = await app.fetch(request);
  const data = await events(await response.text());
  assertEquals(data.at(-1), "[DONE]");
  const { id } = JSON.parse(data[0] ?? "");
  const { json } = await get(app, `${COMPLETIONS}/${id}`);
  const { json: whole } = await post(app, ask("Hi there", { n: 2 }));
  assertEquals(json.choices, whole.choices);
  assertEquals(json.metadata, { a: "b" });
});

Deno.test("POST /v1/chat/completions does not keep a stream that fails or is left", async () => {
  const left = Promise.withResolvers<void>();
  const app = testApp({
    m: new Scripted({
      async *fail(): AsyncGenerator<PredictPart> {
        yield await Promise.resolve("Hel");
        throw new Error("no luck");
      },
      async *leave(): AsyncGenerator<PredictPart> {
        yield "Hel";
        await left.promise;
      },
    }),
  });
  const failed = await post(app, ask("fail", { store: true, stream: true }));
  assert(failed.text.includes('"code":"model_error"'));
  const body = JSON.stringify(ask("leave", { store: true, stream: true }));
  const response = await app.fetch(new Request(`http://server.test${COMPLETIONS}`, { method: "POST", body }));
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  left.resolve();
  assertEquals(await list(app), []);
});

Deno.test("POST /v1/chat/completions tells of a store that fails, streamed or not", async () => {
  const fail = (): never => {
    throw new Error("disk full");
  };
  const app = testApp(undefined, { responseStore: { get: fail, set: fail, delete: fail, list: fail } });
  assertError(await post(app, ask("Hi", { store: true })), 500, "store_error");
  const { text } = await post(app, ask("Hi", { store: true, stream: true }));
  assert(text.includes('"code":"store_error"') && !text.includes("[DONE]"), text);
  assertError(await get(app, COMPLETIONS), 500, "store_error");
  assertEquals(app.errors.length, 3);
  assertEquals((await post(app, ask("Hi"))).status, 200);
});

for (
  const { name, metadata, param } of [
    { name: "is no object", metadata: "a", param: "metadata" },
    {
      name: "has 17 pairs",
      metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ""])),
      param: "metadata",
    },
    { name: "has a key of 65 characters", metadata: { ["k".repeat(65)]: "" }, param: "metadata" },
    { name: "has a value of 513 characters", metadata: { a: "v".repeat(513) }, param: "metadata.a" },
    { name: "has a number", metadata: { a: 1 }, param: "metadata.a" },
    { name: "has null", metadata: { a: null }, param: "metadata.a" },
  ]
) {
  Deno.test(`POST /v1/chat/completions refuses metadata that ${name}`, async () => {
    const app = testApp();
    for (const rest of [{ store: true }, {}, { store: true, stream: true }]) {
      assertError(await post(app, ask("Hi", { ...rest, metadata })), 400, "invalid_value", param);
    }
    const id = await keep(app, "Hi");
    assertError(await post(app, { metadata }, { path: `${COMPLETIONS}/${id}` }), 400, "invalid_value", param);
  });
}

Deno.test("POST /v1/chat/completions takes metadata as large as it may be, counted in characters", async () => {
  const app = testApp();
  const metadata = Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [String.fromCharCode(97 + i) + "😀".repeat(63), "😀".repeat(512)]),
  );
  const id = await keep(app, "Hi", { metadata });
  assertEquals((await get(app, `${COMPLETIONS}/${id}`)).json.metadata, metadata);
});

Deno.test("GET /v1/chat/completions gives pages, oldest or newest first", async () => {
  const app = testApp();
  const ids: string[] = [];
  for (let i = 0; i < 25; i++) ids.push(await keep(app, `Hi ${i}`));
  assertEquals(await list(app), ids.slice(0, 20));
  assertEquals(await list(app, "?limit=100"), ids);
  assertEquals(await list(app, "?order=desc&limit=2"), ids.slice(23).reverse());
  assertEquals(await list(app, `?after=${ids[19]}`), ids.slice(20));
  assertEquals(await list(app, `?order=desc&after=${ids[1]}`), ids.slice(0, 1));
  const { json } = await get(app, `${COMPLETIONS}?limit=3&after=${ids[2]}`);
  assertEquals([json.object, json.first_id, json.last_id, json.has_more], ["list", ids[3], ids[5], true]);
  const { json: end } = await get(app, `${COMPLETIONS}?after=${ids[24]}`);
  assertEquals(end, { object: "list", data: [], first_id: "", last_id: "", has_more: false });
});

Deno.test("GET /v1/chat/completions finds by model and by labels", async () => {
  const app = testApp(twoModels());
  const first = await keep(app, "a", { model: "one", metadata: { k: "x", more: "1" } });
  const second = await keep(app, "b", { model: "two", metadata: { k: "x" } });
  const third = await keep(app, "c", { model: "one", metadata: { "odd[key]": "é&=" } });
  assertEquals(await list(app, "?model=one"), [first, third]);
  assertEquals(await list(app, "?model=none"), []);
  assertEquals(await list(app, "?metadata[k]=x"), [first, second]);
  assertEquals(await list(app, "?metadata%5Bk%5D=x&metadata[more]=1"), [first]);
  assertEquals(await list(app, "?metadata[k]=x&model=two"), [second]);
  assertEquals(await list(app, `?metadata[odd[key]]=${encodeURIComponent("é&=")}`), [third]);
});

for (
  const { query, param } of [
    { query: "limit=0", param: "limit" },
    { query: "limit=101", param: "limit" },
    { query: "limit=ten", param: "limit" },
    { query: "limit=", param: "limit" },
    { query: "order=up", param: "order" },
    { query: "after=chatcmpl-unknown", param: "after" },
    { query: "metadata=a", param: "metadata" },
    { query: `metadata[a]=${"v".repeat(513)}`, param: "metadata.a" },
  ]
) {
  Deno.test(`GET /v1/chat/completions refuses ?${query.slice(0, 24)}`, async () => {
    assertError(await get(testApp(), `${COMPLETIONS}?${query}`), 400, "invalid_value", param);
  });
}

Deno.test("GET /v1/chat/completions/{id}/messages gives what was asked, in pages", async () => {
  const app = testApp();
  const parts = [
    { type: "text", text: "What is it?" },
    { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
  ];
  const call = { id: "c", type: "function", function: { name: "add", arguments: "{}" } };
  const messages = [
    { role: "system", content: "Be kind" },
    { role: "user", name: "ann", content: parts },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c", content: "3" },
  ];
  const { json: { id } } = await post(app, { messages, store: true });
  const path = `${COMPLETIONS}/${id}/messages`;
  const { json } = await get(app, path);
  assertEquals(json, {
    object: "list",
    data: [
      { refusal: null, role: "system", content: "Be kind", id: `${id}-0`, content_parts: null },
      { refusal: null, role: "user", name: "ann", content: null, id: `${id}-1`, content_parts: parts },
      { refusal: null, role: "assistant", content: null, tool_calls: [call], id: `${id}-2`, content_parts: null },
      { refusal: null, role: "tool", tool_call_id: "c", content: "3", id: `${id}-3`, content_parts: null },
    ],
    first_id: `${id}-0`,
    last_id: `${id}-3`,
    has_more: false,
  });
  const { json: page } = await get(app, `${path}?limit=1&order=desc&after=${id}-3`);
  assertEquals([page.data[0].id, page.has_more, page.data.length], [`${id}-2`, true, 1]);
  assertError(await get(app, `${path}?after=x`), 400, "invalid_value", "after");
  assertError(await get(app, `${path}?limit=1000`), 400, "invalid_value", "limit");
  assertError(await get(app, `${COMPLETIONS}/none/messages`), 404, "completion_not_found");
});

Deno.test("POST /v1/chat/completions/{id} changes the labels and nothing else", async () => {
  const app = testApp();
  const id = await keep(app, "Hi", { metadata: { a: "1", b: "2" } });
  const path = `${COMPLETIONS}/${id}`;
  const before = (await get(app, path)).json;
  const { json, status } = await post(app, { metadata: { c: "3" } }, { path });
  assertEquals([status, json], [200, { ...before, metadata: { c: "3" } }]);
  assertEquals((await get(app, path)).json, json);
  assertEquals(await list(app, "?metadata[c]=3"), [id]);
  assertEquals(await list(app, "?metadata[a]=1"), []);
  assertEquals((await post(app, { metadata: null }, { path })).json.metadata, {});
  assertError(await post(app, { metadata: {}, model: "x" }, { path }), 400, "invalid_value", "model");
  assertError(await post(app, {}, { path }), 400, "invalid_value", "metadata");
  assertError(await post(app, [], { path }), 400, "invalid_value");
  assertError(await post(app, { metadata: {} }, { path: `${COMPLETIONS}/none` }), 404, "completion_not_found");
});

Deno.test("DELETE /v1/chat/completions/{id} forgets an answer", async () => {
  const app = testApp();
  const id = await keep(app, "Hi");
  const path = `${COMPLETIONS}/${id}`;
  const deleted = await send(app, path, { method: "DELETE" });
  assertEquals([deleted.status, deleted.json], [200, { id, object: "chat.completion.deleted", deleted: true }]);
  validateBody("ChatCompletionDeleted", deleted.json);
  assertError(await send(app, path, { method: "DELETE" }), 404, "completion_not_found");
  assertError(await get(app, path), 404, "completion_not_found");
});

Deno.test("The routes of chat completions and of responses do not give out what the other keeps", async () => {
  const app = testApp({ demo: DemoChatModel });
  const id = await keep(app, "Hi");
  const { json: response } = await post(app, { model: "demo", input: "Hi" }, { path: "/v1/responses" });
  for (const path of [`${COMPLETIONS}/${response.id}`, `${COMPLETIONS}/${response.id}/messages`]) {
    assertError(await get(app, path), 404, "completion_not_found");
  }
  assertError(await send(app, `${COMPLETIONS}/${response.id}`, { method: "DELETE" }), 404, "completion_not_found");
  assertError(await get(app, `${COMPLETIONS}?after=${response.id}`), 400, "invalid_value", "after");
  assertError(await get(app, `/v1/responses/${id}`), 404, "response_not_found");
  assertEquals(await list(app), [id]);
});

Deno.test("DELETE /v1/models/{id} is refused, with what to do instead", async () => {
  const app = testApp();
  const refused = await send(app, "/v1/models/parrot", { method: "DELETE" });
  assertError(refused, 403, "model_not_deletable", "model");
  assertEquals(refused.json.error.type, "permission_error");
  assertError(await send(app, "/v1/models/none", { method: "DELETE" }), 404, "model_not_found", "model");
});

Deno.test("openai's client keeps, lists, changes and deletes chat completions", async () => {
  await using served = await serveModels({ demo: DemoChatModel });
  const { chat: { completions }, models } = served.client;
  const messages = [{ role: "user" as const, content: "Hello" }];
  const made: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await completions.create({ model: "demo", messages, store: true, metadata: { run: "7" } });
    made.push(id);
  }
  const stream = await completions.create({ model: "demo", messages, store: true, stream: true });
  for await (const { id } of stream) if (made.at(-1) !== id) made.push(id);

  const seen: string[] = [];
  for await (const { id } of completions.list({ limit: 2 })) seen.push(id);
  assertEquals(seen, made);
  const labelled = await completions.list({ model: "demo", metadata: { run: "7" }, order: "desc" });
  assertEquals(labelled.data.map(({ id }) => id), made.slice(0, 3).reverse());

  const [id = ""] = made;
  const retrieved = await completions.retrieve(id);
  assert(retrieved.choices[0]?.message.content?.endsWith("You said: Hello"));
  const updated = await completions.update(id, { metadata: { run: "8" } });
  assertEquals([updated.id, Reflect.get(updated, "metadata")], [id, { run: "8" }]);
  assertEquals((await completions.delete(id)).deleted, true);
  await assertRejects(() => models.delete("demo"), PermissionDeniedError);
});

Deno.test("openai's client lists the messages of a chat completion that was kept", async () => {
  const kept: StoredAnswer[] = [];
  const store = new MemoryResponseStore();
  const responseStore: ResponseStore = {
    get: (id) => store.get(id),
    list: (query) => store.list(query),
    delete: (id) => store.delete(id),
    set(answer) {
      kept.push(answer);
      store.set(answer);
    },
  };
  await using served = await serveModels({ demo: DemoChatModel }, { responseStore });
  const { chat: { completions } } = served.client;
  const messages = [{ role: "assistant" as const, content: "One" }, { role: "assistant" as const, content: "Two" }];
  const { id } = await completions.create({ model: "demo", messages, store: true });
  const listed: (string | null)[] = [];
  for await (const message of completions.messages.list(id, { limit: 1 })) listed.push(message.content);
  assertEquals(listed, ["One", "Two"]);
  assertEquals(kept.map(({ id, object, input }) => [id, object, input.length]), [[id, "chat.completion", 2]]);
});

Deno.test("POST /v1/chat/completions says of labels what was found", async () => {
  const app = testApp();
  for (
    const [metadata, said] of [
      ["a", '"metadata": Expected an object, found a string'],
      [{ a: 1, b: null }, '"metadata.a": Expected a string, found 1; "metadata.b": Expected a string, found null'],
    ] as const
  ) {
    for (const store of [true, false]) {
      const { json } = await post(app, ask("Hi", { store, metadata }));
      assertEquals(json.error.message, `Cannot parse chat request: ${said}`);
    }
  }
});
