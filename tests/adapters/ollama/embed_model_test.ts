/** Vectors by the model of Ollama: what is asked, and what recorded servers answer. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { ChatModelError, loadChatModel, ModelNotFoundError, ValidationError } from "../../../mod.ts";
import { json, startFakeUpstream } from "../../support/fake_upstream.ts";
import { readRecording, type Recording, startReplay, VERSIONS } from "../../support/replay.ts";
import { bodies, load } from "./_ollama_model.ts";

const ANSWER = json({ model: "m", embeddings: [[0.6, 0.8]], prompt_eval_count: 3 });

/** The vectors of a recorded answer. */
function vectorsOf({ response: { body } }: Recording): number[][] {
  assert(typeof body === "object" && body !== null && "embeddings" in body && Array.isArray(body.embeddings));
  return body.embeddings;
}

for (const version of VERSIONS) {
  Deno.test(`OllamaChatModel embeds one text and several as recorded with ${version}`, async () => {
    for (
      const name of ["embed_string", "embed_full", "embed_array", "embed_dims_nonzero", "embed_too_long_truncated"]
    ) {
      const recording = readRecording(name, version);
      const { body } = recording.request;
      assert(typeof body === "object" && body !== null && "input" in body);
      const { input } = body;
      assert(typeof input === "string" || Array.isArray(input));
      await using replay = startReplay([recording]);
      const client = new OllamaClient({ host: replay.url });
      const model = await loadChatModel(new OllamaChatModel({ model: "embed", client }));
      const response = await model.embed({ ...body, input });
      const sent = { truncate: false, ...body, input: typeof input === "string" ? [input] : input };
      assertEquals(replay.requests.map(({ path, body }) => [path, body]), [["/api/embed", sent]], name);
      assertEquals(response.data.map(({ embedding }) => embedding), vectorsOf(recording), name);
      assertEquals(response.model, "embed");
      assert(response.usage.prompt_tokens > 0, name);
    }
  });

  Deno.test(`OllamaChatModel tells of recorded refusals with ${version}`, async () => {
    const codes = { embed_missing: "model_not_found", embed_too_long: "context_length_exceeded" };
    for (const [name, code] of Object.entries(codes)) {
      const recording = readRecording(name, version);
      await using replay = startReplay([recording]);
      const client = new OllamaClient({ host: replay.url });
      const model = await loadChatModel(new OllamaChatModel({ model: "embed", client }));
      const error = await assertRejects(() => model.embed({ input: "word" }), ChatModelError);
      assertEquals(error.code, code);
      assertEquals(error.param, code === "model_not_found" ? "model" : "input");
      assertEquals(error instanceof ModelNotFoundError, code === "model_not_found");
    }
  });
}

Deno.test("OllamaChatModel says that a recorded chat model makes no vectors", async () => {
  await using replay = startReplay([readRecording("embed_plain_model", "head")]);
  const client = new OllamaClient({ host: replay.url });
  const model = await loadChatModel(new OllamaChatModel({ model: "plain", client }));
  const error = await assertRejects(() => model.embed({ input: "hello", dimensions: 4 }), ChatModelError);
  assertEquals([error.code, error.status], ["unsupported_feature", 400]);
});

Deno.test("OllamaChatModel sends with a request for vectors what it was set up with", async () => {
  await using upstream = await startFakeUpstream(() => ANSWER);
  const model = await load(upstream, { options: { num_ctx: 8192 }, keepAlive: "10m", truncate: true });
  const response = await model.embed({ input: "a", dimensions: 2, user: "ann", model: "mine" });
  assertEquals(bodies(upstream, "/api/embed"), [{
    model: "m",
    input: ["a"],
    truncate: true,
    dimensions: 2,
    options: { num_ctx: 8192 },
    keep_alive: "10m",
  }]);
  assertEquals(response, {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: [0.6, 0.8] }],
    model: "mine",
    usage: { prompt_tokens: 3, total_tokens: 3 },
  });
});

Deno.test("OllamaChatModel takes Ollama's own fields in a request for vectors, and they win", async () => {
  await using upstream = await startFakeUpstream(() => ANSWER);
  const model = await load(upstream, { options: { num_ctx: 8192, num_thread: 2 }, keepAlive: "10m" });
  await model.embed({
    input: "a",
    truncate: true,
    keep_alive: -1,
    num_ctx: 2048,
    options: { num_batch: 64, num_thread: null },
    shift: null,
  });
  assertEquals(bodies(upstream, "/api/embed"), [{
    model: "m",
    input: ["a"],
    truncate: true,
    options: { num_ctx: 2048, num_thread: 2, num_batch: 64 },
    keep_alive: -1,
  }]);
});

Deno.test("OllamaChatModel refuses what Ollama cannot honour in a request for vectors, all at once", async () => {
  await using upstream = await startFakeUpstream(() => ANSWER);
  const model = await load(upstream);
  const request = { input: "a", input_type: "query", num_ctx: "big", keep_alive: "soon", truncate: "yes", options: [] };
  const error = await assertRejects(() => model.embed(request), ValidationError);
  assertEquals(error.issues.map(({ path }) => path), ["input_type", "num_ctx", "options", "keep_alive", "truncate"]);
  assertEquals([error.status, error.code], [400, "unsupported_value"]);
  assertEquals(upstream.requests, []);
});

Deno.test("OllamaChatModel closes the connection when a call for vectors is aborted or too slow", async () => {
  await using upstream = await startFakeUpstream(() => ["stall"]);
  const model = await load(upstream);
  const controller = new AbortController();
  const embedding = assertRejects(() => model.embed({ input: "a" }, { signal: controller.signal }), DOMException);
  await upstream.requested(1);
  controller.abort();
  await embedding;
  await upstream.allClosed();
  const error = await assertRejects(() => model.embed({ input: "a" }, { firstTokenTimeout: 20 }), ChatModelError);
  assertEquals(error.code, "first_token_timeout");
  assertStringIncludes(error.message, "Send fewer texts");
  await upstream.allClosed();
});

Deno.test("OllamaChatModel pulls a missing model for a request for vectors if it may", async () => {
  let pulled = false;
  await using upstream = await startFakeUpstream(({ path }) => {
    if (path === "/api/pull") {
      pulled = true;
      return json({ status: "success" });
    }
    return pulled ? ANSWER : json({ error: 'model "m" not found, try pulling it first' }, { status: 404 });
  });
  const model = await load(upstream, { pullMissing: true });
  assertEquals((await model.embed({ input: "a" })).data.length, 1);
  assertEquals(upstream.requests.map(({ path }) => path), ["/api/embed", "/api/pull", "/api/embed"]);
});

Deno.test("OllamaChatModel takes an answer with too few vectors for an error", async () => {
  await using upstream = await startFakeUpstream(() => json({ embeddings: [] }));
  const model = await load(upstream);
  const error = await assertRejects(() => model.embed({ input: " " }), ChatModelError, "0 vectors for 1 texts");
  assertEquals(error.code, "invalid_model_output");
});
