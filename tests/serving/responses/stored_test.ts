import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ChatMessage, ChatModel, type ModelContext, type PredictResult } from "../../../mod.ts";
import { MemoryResponseStore, type ResponseStore } from "../../../serve.ts";
import { validateBody } from "../../conformance_openai/_schema.ts";
import { type Answered, assertError, Parrot, post, send, testApp } from "../_app.ts";
import { type Event, get, respond, stream } from "./_kit.ts";

/** Calls a tool first, and says what it gave when it is there. */
class Caller extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[]): PredictResult {
    const last = messages.at(-1);
    return last?.role === "tool"
      ? { content: `It is ${last.content}`, custom_outputs: { messages } }
      : { reasoning: "Hm", tool_calls: [{ id: "c1", type: "function", function: { name: "now", arguments: "{}" } }] };
  }
}

function remove(app: Parameters<typeof send>[0], id: string): Promise<Answered> {
  return send(app, `/v1/responses/${id}`, { method: "DELETE" });
}

Deno.test("GET /v1/responses/:id gives a response as it was sent, streamed or not", async () => {
  const app = testApp();
  const { json } = await respond(app, { input: "Hello", metadata: { a: "b" } });
  assertEquals((await get(app, json.id)).json, json);
  const events = await stream(app, { input: "Hello" });
  const response = events.at(-1)?.["response"];
  assertEquals((await get(app, response.id)).json, response);
});

Deno.test("GET /v1/responses/:id does not know what was not kept", async () => {
  const app = testApp();
  const { json } = await respond(app, { input: "Hello", store: false });
  for (const id of [json.id, "resp_none", "constructor"]) {
    assertError(await get(app, id), 404, "response_not_found");
    assertError(await get(app, `${id}/input_items`), 404, "response_not_found");
    assertError(await remove(app, id), 404, "response_not_found");
  }
});

Deno.test("GET /v1/responses/:id does not stream", async () => {
  const app = testApp();
  const { json } = await respond(app, { input: "Hello" });
  assertError(await get(app, `${json.id}?stream=true`), 400, "unsupported_value", "stream");
  assertEquals((await get(app, `${json.id}?stream=false`)).status, 200);
});

Deno.test("DELETE /v1/responses/:id forgets a response", async () => {
  const app = testApp();
  const { json } = await respond(app, { input: "Hello" });
  assertEquals((await remove(app, json.id)).json, { id: json.id, object: "response", deleted: true });
  assertError(await get(app, json.id), 404, "response_not_found");
});

Deno.test("POST /v1/responses/:id/cancel says that it was not made in the background", async () => {
  const app = testApp();
  const { json } = await respond(app, { input: "Hello" });
  const path = (id: string) => ({ path: `/v1/responses/${id}/cancel` });
  assertError(await post(app, {}, path(json.id)), 400, "response_not_in_background");
  assertError(await post(app, {}, path("resp_none")), 404, "response_not_found");
});

Deno.test("GET /v1/responses/:id/input_items lists what was asked, page by page", async () => {
  const app = testApp();
  const { json } = await respond(app, {
    input: [
      { role: "system", content: "A" },
      { role: "user", content: [{ type: "input_image", image_url: "http://b" }] },
      { role: "assistant", content: "C" },
      { id: "fc_mine", type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "D" },
      { type: "reasoning", content: [{ type: "reasoning_text", text: "E" }] },
      { role: "user", content: "F" },
    ],
  });
  const list = async (query: string): Promise<Event> => {
    const { status, json: page, text } = await get(app, `${json.id}/input_items${query}`);
    assertEquals(status, 200, text);
    validateBody("ResponseItemList", page);
    return page;
  };
  const all = await list("?order=asc");
  assertEquals([all["object"], all["has_more"], all["data"].length], ["list", false, 7]);
  assertEquals([all["first_id"], all["last_id"]], [all["data"][0].id, all["data"][6].id]);
  assertEquals(all["data"].map(({ type }: Event) => type), [
    "message",
    "message",
    "message",
    "function_call",
    "function_call_output",
    "reasoning",
    "message",
  ]);
  assertEquals(all["data"][0].content, [{ type: "input_text", text: "A" }]);
  assertEquals(all["data"][1].content, [{ type: "input_image", image_url: "http://b", detail: "auto" }]);
  assertEquals(all["data"][2].content, [{ type: "output_text", text: "C", annotations: [], logprobs: [] }]);
  assertEquals(all["data"][3].id, "fc_mine");
  const ids = all["data"].map(({ id }: Event) => id);
  assertEquals(new Set(ids).size, 7);
  assertEquals((await list(""))["data"].map(({ id }: Event) => id), ids.toReversed());

  const first = await list("?order=asc&limit=3");
  assertEquals([first["data"].length, first["has_more"]], [3, true]);
  const rest = await list(`?order=asc&limit=4&after=${first["last_id"]}`);
  assertEquals([rest["data"].map(({ id }: Event) => id), rest["has_more"]], [ids.slice(3), false]);
  assertEquals((await list(`?order=asc&after=${ids[6]}`))["data"], []);

  assertError(await get(app, `${json.id}/input_items?after=none`), 400, "invalid_value", "after");
  for (const limit of ["0", "101", "x", "-1", "1.5", ""]) {
    assertError(await get(app, `${json.id}/input_items?limit=${limit}`), 400, "invalid_value", "limit");
  }
  assertError(await get(app, `${json.id}/input_items?order=up`), 400, "invalid_value", "order");
});

Deno.test("previous_response_id goes on from what was asked and given, but without its instructions", async () => {
  const app = testApp({ parrot: new Parrot() });
  const first = await respond(app, { input: "A", instructions: "Be kind" });
  const second = await respond(app, { input: "B", previous_response_id: first.json.id });
  assertEquals(second.json.previous_response_id, first.json.id);
  await remove(app, first.json.id);
  const third = await respond(app, { input: "C", previous_response_id: second.json.id, instructions: "Be short" });
  assertEquals(third.json.custom_outputs.messages, [
    { role: "system", content: "Be short" },
    { role: "user", content: "A" },
    { role: "assistant", content: "parrot: A" },
    { role: "user", content: "B" },
    { role: "assistant", content: "parrot: B" },
    { role: "user", content: "C" },
  ]);
  const { json } = await get(app, `${third.json.id}/input_items?order=asc`);
  assertEquals(json.data.length, 5);
});

Deno.test("previous_response_id needs a response that is kept", async () => {
  const app = testApp();
  const { json } = await respond(app, { input: "A", store: false });
  for (const previous_response_id of [json.id, "resp_none"]) {
    const answer = await respond(app, { input: "B", previous_response_id });
    assertError(answer, 400, "previous_response_not_found", "previous_response_id");
  }
});

Deno.test("a tool loop needs no more than the tool's output, streamed or not", async () => {
  const app = testApp({ m: new Caller() });
  const ask = { input: "What time is it?", tools: [{ type: "function", name: "now" }] };
  const calls = [(await respond(app, ask)).json, (await stream(app, ask)).at(-1)?.["response"]];
  for (const { id, output } of calls) {
    assertEquals(output.map(({ type }: Event) => type), ["reasoning", "function_call"]);
    const answer = { type: "function_call_output", call_id: output[1].call_id, output: "noon" };
    const { json } = await respond(app, { input: [answer], previous_response_id: id });
    assertEquals(json.output[0].content[0].text, "It is noon");
    assertEquals(json.custom_outputs.messages, [
      { role: "user", content: "What time is it?" },
      {
        role: "assistant",
        tool_calls: [{ id: "c1", type: "function", function: { name: "now", arguments: "{}" } }],
        reasoning: "Hm",
      },
      { role: "tool", tool_call_id: "c1", content: "noon" },
    ]);
  }
});

Deno.test("an item_reference stands for an item of a response that is kept, given or asked", async () => {
  const app = testApp({ m: new Caller() });
  const { json } = await respond(app, { input: "What time is it?" });
  const { data } = (await get(app, `${json.id}/input_items`)).json;
  const [reasoning, call] = json.output;
  const input = [
    { type: "item_reference", id: data[0].id },
    { id: reasoning.id },
    { type: "item_reference", id: call.id },
    { type: "function_call_output", call_id: call.call_id, output: "noon" },
  ];
  const answer = await respond(app, { input });
  assertEquals(answer.json.custom_outputs.messages.length, 3);
  // Kept as the items themselves.
  await remove(app, json.id);
  const listed = (await get(app, `${answer.json.id}/input_items?order=asc`)).json;
  assertEquals(listed.data.slice(0, 3).map(({ id }: Event) => id), [data[0].id, reasoning.id, call.id]);
  for (const id of [call.id, "msg_none", `fc_${"a".repeat(24)}0`]) {
    assertError(await respond(app, { input: [{ type: "item_reference", id }] }), 404, "item_not_found", "input.0.id");
  }
});

Deno.test("what an answer that was cut gave is gone on from", async () => {
  class Cut extends ChatModel {
    override predict(_context: ModelContext, messages: readonly ChatMessage[]): PredictResult {
      return { content: "Hel", finish_reason: "length", custom_outputs: { messages } };
    }
  }
  const app = testApp({ m: new Cut() });
  const first = await respond(app, { input: "A" });
  const second = await respond(app, { input: "B", previous_response_id: first.json.id });
  assertEquals(second.json.custom_outputs.messages[1], { role: "assistant", content: "Hel" });
});

Deno.test("createApp() keeps responses where it is told to, and waits until they are kept", async () => {
  const inner = new MemoryResponseStore();
  const later = <T>(value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), 1));
  const responseStore: ResponseStore = {
    // As a store elsewhere has it: as JSON.
    get: (id) => later(structuredClone(inner.get(id))),
    set: async (answer) => inner.set(await later(structuredClone(answer))),
    delete: (id) => later(inner.delete(id)),
    list: (query) => later(inner.list(query)),
  };
  const app = testApp({ parrot: new Parrot() }, { responseStore });
  const { json } = await respond(app, { input: "Hello", metadata: { a: "b" } });
  const kept = inner.get(json.id);
  assertEquals(
    [kept?.object, kept?.model, kept?.created, kept?.metadata],
    ["response", "parrot", json.created_at, { a: "b" }],
  );
  const events = await stream(app, { input: "Again", previous_response_id: json.id });
  assert(inner.get(events.at(-1)?.["response"].id));
  assertEquals((await remove(app, json.id)).status, 200);
  assertEquals(inner.get(json.id), undefined);
});

Deno.test("a store that fails is told of as such", async () => {
  const fail = () => {
    throw new Error("disk full");
  };
  const app = testApp({ parrot: new Parrot() }, {
    responseStore: { get: fail, set: () => Promise.resolve().then(fail), delete: fail, list: fail },
  });
  const answer = await respond(app, { input: "Hello" });
  assertError(answer, 500, "store_error");
  assertMatch(answer.json.error.message, /^Cannot keep the answer: the store failed: disk full$/);
  assertError(await respond(app, { input: "Hello", previous_response_id: "resp_1" }), 500, "store_error");
  const events = await stream(app, { input: "Hello" });
  assertEquals(events.slice(-2).map(({ type }) => type), ["error", "response.failed"]);
  assertEquals(events.at(-2)?.["code"], "store_error");
  assertEquals((await respond(app, { input: "Hello", store: false })).status, 200);
  assertEquals(app.errors.length, 3);
});

Deno.test("a kept response that no one could have written is told of as such", async () => {
  const responseStore = new MemoryResponseStore();
  const kept = { id: "resp_1", object: "response", created: 1, model: "m", metadata: {} } as const;
  responseStore.set({ ...kept, body: { output: [{ type: "odd" }] }, input: [] });
  const app = testApp({ parrot: new Parrot() }, { responseStore });
  assertError(await respond(app, { input: "A", previous_response_id: "resp_1" }), 500, "invalid_stored_response");
});

Deno.test("a kept chat completion is no response", async () => {
  const responseStore = new MemoryResponseStore();
  responseStore.set({ id: "x", object: "chat.completion", created: 1, model: "m", metadata: {}, body: {}, input: [] });
  const app = testApp({ parrot: new Parrot() }, { responseStore });
  assertError(await get(app, "x"), 404, "response_not_found");
  const answer = await respond(app, { input: "A", previous_response_id: "x" });
  assertError(answer, 400, "previous_response_not_found", "previous_response_id");
});
