import { assert, assertEquals } from "@std/assert";
import type { PredictPart } from "../../../mod.ts";
import { post, Scripted, testApp } from "../_app.ts";
import { type Event, get, readEvents, respond, stream, types } from "./_kit.ts";

const tokens = (token: string) => ({
  content: [{ token, logprob: -1, bytes: [1], top_logprobs: [{ token, logprob: -1, bytes: null }] }],
  refusal: null,
});

const citation = { url: "http://a", title: "A", start_index: 0, end_index: 1 };

const model = new Scripted({
  async *text(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve("Hel");
    yield "lo";
    yield { usage: { prompt_tokens: 1, completion_tokens: 2 }, custom_outputs: { a: 1 } };
  },
  async *all(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve({ reasoning: "Hm" });
    yield { reasoning: " so" };
    yield { content: "Hel", logprobs: tokens("Hel") };
    yield { content: "lo", logprobs: tokens("lo") };
    yield { annotations: [{ type: "url_citation", url_citation: citation }] };
    yield { refusal: "No" };
    yield { refusal: "pe" };
    yield { tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "f", arguments: '{"a"' } }] };
    yield { tool_calls: [{ index: 1, id: "c2", type: "custom", custom: { name: "g", input: "l" } }] };
    yield { tool_calls: [{ index: 0, function: { arguments: ":1}" } }, { index: 1, custom: { input: "s" } }] };
  },
  async *again(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve({ reasoning: "1" });
    yield "2";
    yield { reasoning: "3" };
    yield "4";
    yield { tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "" } }] };
    yield "5";
  },
  async *cut(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve({ reasoning: "Hm" });
    yield { content: "Hel", finish_reason: "length" };
  },
  async *nothing(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve("");
  },
  async *old(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve({ function_call: { name: "f", arguments: "{" } });
    yield { function_call: { arguments: "}" } };
  },
  async *long(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve("é".repeat(30_000));
    yield { custom_outputs: { rows: Array.from({ length: 10_000 }, (_, i) => `row ${i}`) } };
  },
  async *failing(): AsyncGenerator<PredictPart> {
    yield { reasoning: "Hm" };
    yield "Hel";
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new Error("no luck");
  },
});

/** The response in the last event. */
function last(events: readonly Event[]): Event {
  return events.at(-1)?.["response"];
}

Deno.test("a streamed response is the events that OpenAI's clients know, in order", async () => {
  const events = await stream(testApp({ m: model }), { input: "text", model: "m" });
  assertEquals(types(events), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  const [created] = events;
  assertEquals([created?.["response"].status, created?.["response"].model], ["in_progress", "m"]);
  assertEquals([created?.["response"].output, "usage" in created?.["response"]], [[], false]);
  const deltas = events.filter(({ type }) => type === "response.output_text.delta");
  assertEquals(deltas.map(({ delta }) => delta), ["Hel", "lo"]);
  const response = last(events);
  assertEquals([response["status"], response["usage"].total_tokens, response["custom_outputs"]], ["completed", 3, {
    a: 1,
  }]);
  assertEquals(response["output"][0].content[0].text, "Hello");
  assertEquals(new Set([created?.["response"].id, response["id"]]).size, 1);
});

Deno.test("a streamed response has each kind of item, with its own events", async () => {
  const events = await stream(testApp({ m: model }), { input: "all" });
  assertEquals(types(events), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.reasoning_text.delta",
    "response.reasoning_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.content_part.added",
    "response.refusal.delta",
    "response.refusal.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.output_item.added",
    "response.custom_tool_call_input.delta",
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "response.custom_tool_call_input.done",
    "response.output_item.done",
    "response.completed",
  ]);
  assertEquals(events.find(({ type }) => type === "response.output_text.delta")?.["logprobs"], [
    { token: "Hel", logprob: -1, bytes: [1], top_logprobs: [{ token: "Hel", logprob: -1, bytes: [] }] },
  ]);
});

Deno.test("a streamed response ends with what the same answer has that is not streamed", async () => {
  const app = testApp({ m: model });
  for (const input of ["text", "all", "cut", "nothing", "old"]) {
    for (const reasoning of [undefined, { summary: "auto" }]) {
      const streamed = last(await stream(app, { input, reasoning }));
      const { json: whole } = await respond(app, { input, reasoning });
      assertEquals(withoutIds(streamed), withoutIds(whole));
    }
  }
});

/** A response without what differs between two of one kind. */
function withoutIds(response: Event): unknown {
  const id: string = response["id"].slice(5);
  const text = JSON.stringify({ ...response, created_at: 0, completed_at: response["completed_at"] && 0 });
  return JSON.parse(text.replaceAll(id, "ID"));
}

Deno.test("what the items' last events have is what the response has", async () => {
  const app = testApp({ m: model });
  for (const input of ["all", "again", "cut", "nothing", "old"]) {
    const events = await stream(app, { input });
    const done = events.filter(({ type }) => type === "response.output_item.done");
    const output = done.toSorted((a, b) => a["output_index"] - b["output_index"]).map(({ item }) => item);
    assertEquals(output, last(events)["output"]);
    const added = events.filter(({ type }) => type === "response.output_item.added");
    assertEquals(added.map(({ output_index }) => output_index), output.map((_, i) => i));
    assertEquals(added.map(({ item }) => [item.id, item.type]), output.map((item) => [item.id, item.type]));
  }
});

Deno.test("thinking and words that alternate are items of their own, in their order", async () => {
  const { output } = last(await stream(testApp({ m: model }), { input: "again" }));
  assertEquals(output.map(({ type }: Event) => type), [
    "reasoning",
    "message",
    "reasoning",
    "message",
    "function_call",
    "message",
  ]);
});

Deno.test("thinking is streamed as a summary to those who ask for one", async () => {
  const events = await stream(testApp({ m: model }), { input: "all", reasoning: { summary: "concise" } });
  assertEquals(types(events).slice(2, 8), [
    "response.output_item.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.output_item.done",
  ]);
});

Deno.test("a streamed response that was cut ends as incomplete", async () => {
  const events = await stream(testApp({ m: model }), { input: "cut" });
  assertEquals(events.at(-1)?.["type"], "response.incomplete");
  assertEquals(last(events)["incomplete_details"], { reason: "max_output_tokens" });
  assertEquals(last(events)["output"].map(({ status }: Event) => status), ["completed", "incomplete"]);
});

Deno.test("no line but those of a single long text is longer than 64 KiB", async () => {
  const answer = await post(testApp({ m: model }), { input: "long", stream: true }, { path: "/v1/responses" });
  const long = answer.text.split("\n").filter((line) => new TextEncoder().encode(line).length > 65_536);
  assertEquals(long, []);
  const events = await readEvents(answer.text);
  assertEquals(last(events)["custom_outputs"].rows.length, 10_000);
  assertEquals(last(events)["output"][0].content[0].text.length, 30_000);
});

Deno.test("a text longer than a line is streamed in pieces, and once more as a whole", async () => {
  const text = "é".repeat(100_000);
  const huge = new Scripted({
    async *go() {
      yield await Promise.resolve(text);
    },
  });
  const events = await stream(testApp({ m: huge }), { input: "go" });
  const deltas = events.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta);
  assert(deltas.length > 10);
  assertEquals(deltas.join("") === text, true);
  assertEquals(last(events)["output"][0].content[0].text === text, true);
});

Deno.test("a failure after the first event is told by an error and a failed response, and is not kept", async () => {
  const app = testApp({ m: model });
  const events = await stream(app, { input: "failing" });
  assertEquals(types(events).slice(-3), ["response.output_text.delta", "error", "response.failed"]);
  const error = events.at(-2);
  assertEquals([error?.["code"], error?.["error"].code, error?.["error"].type], [
    "model_error",
    "model_error",
    "server_error",
  ]);
  assert(error?.["message"].endsWith("no luck"));
  const response = last(events);
  assertEquals([response["status"], response["error"].code], ["failed", "server_error"]);
  assertEquals(response["output"].map(({ status }: Event) => status), ["completed", "incomplete"]);
  assertEquals(app.errors.length, 1);
  assertEquals((await get(app, response["id"])).status, 404);
});

Deno.test("a streamed response has the headers of an event stream", async () => {
  const { headers } = await post(testApp({ m: model }), { input: "text", stream: true }, { path: "/v1/responses" });
  assertEquals([headers.get("content-type"), headers.get("cache-control")], ["text/event-stream", "no-cache"]);
});

/** Begins to stream, and gives the reader. */
async function begin(app: ReturnType<typeof testApp>, input: string) {
  const body = JSON.stringify({ input, stream: true });
  const response = await app.fetch(new Request("http://server.test/v1/responses", { method: "POST", body }));
  assertEquals(response.status, 200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert(reader);
  return reader;
}

Deno.test("after statusWait the first events leave at once, comments follow, then the answer", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = new Scripted({
    async *go() {
      await promise;
      yield "Hello";
    },
  });
  const reader = await begin(testApp({ m: waiting }, { statusWait: 5, keepAliveInterval: 5 }), "go");
  let text = "";
  while (!text.includes(": keep-alive\n\n")) text += (await reader.read()).value;
  assertEquals(types(await readEvents(text)), ["response.created", "response.in_progress"]);
  resolve();
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  const events = await readEvents(text);
  assertEquals(events.at(-1)?.["type"], "response.completed");
});

Deno.test("a reader that leaves stops the model, and the response is not kept", async () => {
  let stopped = false;
  const endless = new Scripted({
    async *go() {
      try {
        for (;;) {
          yield "a";
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        stopped = true;
      }
    },
  });
  const app = testApp({ m: endless });
  const reader = await begin(app, "go");
  const { value = "" } = await reader.read();
  const [, id = ""] = /"id":"(resp_[\w-]+)"/.exec(value) ?? [];
  await reader.cancel();
  while (!stopped) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals((await get(app, id)).status, 404);
  assertEquals(app.errors, []);
});
