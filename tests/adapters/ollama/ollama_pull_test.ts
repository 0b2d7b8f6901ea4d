import { assertEquals, assertRejects } from "@std/assert";
import { ChatModelError, ModelNotFoundError } from "../../../mod.ts";
import { type Answer, json, ndjson, startFakeUpstream, type UpstreamRequest } from "../../support/fake_upstream.ts";
import { answer, bodies, DONE, load, MESSAGES, read, text } from "./_ollama_model.ts";

/** Has no model until it is pulled. */
function withoutModel(events: readonly object[]) {
  let pulled = false;
  return (request: UpstreamRequest): Answer => {
    if (request.path === "/api/pull") {
      pulled = true;
      return ndjson(events);
    }
    if (!pulled) return json({ error: "model 'm' not found" }, { status: 404 });
    return JSON.parse(request.body).stream ? ndjson([text("x"), DONE]) : json(answer("x"));
  };
}

const EVENTS = [
  { status: "pulling manifest" },
  { status: "pulling abc", digest: "sha256:abc", total: 10, completed: 5 },
  { status: "success" },
];

Deno.test("OllamaChatModel says how to get a missing model, and pulls nothing unasked", async () => {
  await using upstream = await startFakeUpstream(withoutModel(EVENTS));
  const model = await load(upstream);
  await assertRejects(() => model.predict({ messages: MESSAGES }), ModelNotFoundError, "ollama pull m");
  assertEquals(bodies(upstream, "/api/pull"), []);
});

Deno.test("OllamaChatModel pulls a missing model if told to, and tells of the progress", async () => {
  for (const streamed of [false, true]) {
    await using upstream = await startFakeUpstream(withoutModel(EVENTS));
    const seen: unknown[] = [];
    const model = await load(upstream, { pullMissing: (progress) => seen.push(progress) });
    const request = { messages: MESSAGES };
    if (streamed) await read(model.predictStream(request));
    else await model.predict(request);
    assertEquals(seen, EVENTS);
    assertEquals(upstream.requests.map(({ path }) => path), ["/api/chat", "/api/pull", "/api/chat"]);
  }
});

Deno.test("OllamaChatModel pulls a missing model for several answers, once for all", async () => {
  await using upstream = await startFakeUpstream(withoutModel(EVENTS));
  const model = await load(upstream, { pullMissing: true });
  const chunks = await read(model.predictStream({ messages: MESSAGES, n: 2 }));
  assertEquals(chunks.filter(({ choices }) => choices[0]?.finish_reason === "stop").length, 2);
  assertEquals(bodies(upstream, "/api/pull").length, 1);
});

Deno.test("OllamaChatModel pulls once for requests that find the model missing together", async () => {
  await using upstream = await startFakeUpstream((request) => {
    const missing = !upstreamRequests().some(({ path }) => path === "/api/pull");
    if (request.path === "/api/pull") return [{ wait: 50 }, ...ndjson(EVENTS)];
    return missing ? json({ error: "model 'm' not found" }, { status: 404 }) : json(answer("x"));
  });
  const upstreamRequests = () => upstream.requests.slice(0, -1);
  const model = await load(upstream, { pullMissing: true });
  await Promise.all([model.predict({ messages: MESSAGES }), model.predict({ messages: MESSAGES })]);
  assertEquals(bodies(upstream, "/api/pull").length, 1);
});

Deno.test("OllamaChatModel hands on why a model cannot be pulled, and tries again the next time", async () => {
  const missing = json({ error: "model 'm' not found" }, { status: 404 });
  const failing = ndjson([{ status: "pulling manifest" }, { error: "pull model manifest: file does not exist" }]);
  await using upstream = await startFakeUpstream(({ path }) => path === "/api/pull" ? failing : missing);
  const model = await load(upstream, { pullMissing: true });
  for (let times = 1; times <= 2; times++) {
    await assertRejects(() => model.predict({ messages: MESSAGES }), ChatModelError, "file does not exist");
    assertEquals(bodies(upstream, "/api/pull").length, times);
  }
});
