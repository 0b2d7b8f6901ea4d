/** Vectors of texts: by the server, by a loaded model, and by the demo model. */
import { assert, assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BadRequestError } from "openai";
import fc from "fast-check";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { OllamaClient, OllamaModels } from "../../adapters/ollama/mod.ts";
import {
  ChatModelError,
  CustomModel,
  type EmbeddingParams,
  type EmbedResult,
  loadChatModel,
  type ModelContext,
  ValidationError,
} from "../../mod.ts";
import type { App } from "../../serve.ts";
import { validateBody } from "../conformance_openai/_schema.ts";
import { serveModels } from "../clients/_served.ts";
import { json, startFakeUpstream } from "../support/fake_upstream.ts";
import { type Answered, assertError, Parrot, post, send, testApp } from "./_app.ts";

function embed(app: App, body: unknown): Promise<Answered> {
  return post(app, body, { path: "/v1/embeddings" });
}

function demoApp(): App {
  return testApp({ demo: DemoChatModel });
}

/** Gives what it is told to, and keeps what it was asked. */
class Vectors extends Parrot {
  readonly #give: (context: ModelContext) => unknown;
  asked: { readonly input: readonly string[]; readonly params: EmbeddingParams } | undefined;

  constructor(give: (context: ModelContext) => unknown) {
    super();
    this.#give = give;
  }

  override embed(context: ModelContext, input: readonly string[], params: EmbeddingParams): EmbedResult {
    this.asked = { input, params };
    // @ts-expect-error -- what authors without types may give
    return this.#give(context);
  }
}

function cosine(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function decode(base64: string): number[] {
  const bytes = Uint8Array.fromBase64(base64);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

Deno.test("POST /v1/embeddings gives a vector for each text, and the tokens", async () => {
  const model = new Vectors(() => ({ embeddings: [[1, 2], new Float32Array([3, 4])], usage: { prompt_tokens: 5 } }));
  const { status, json } = await embed(testApp({ m: model }), { model: "m", input: ["a", "b"] });
  assertEquals(status, 200);
  assertEquals(json, {
    object: "list",
    data: [
      { object: "embedding", index: 0, embedding: [1, 2] },
      { object: "embedding", index: 1, embedding: [3, 4] },
    ],
    model: "m",
    usage: { prompt_tokens: 5, total_tokens: 5 },
  });
  validateBody("CreateEmbeddingResponse", json);
  assertEquals(model.asked, { input: ["a", "b"], params: {} });
});

Deno.test("POST /v1/embeddings hands on parameters, and fields that are not known", async () => {
  const model = new Vectors(() => [[1, 2, 3]]);
  const app = testApp({ m: model });
  await embed(app, { input: "a", dimensions: 3, user: "ann", encoding_format: null, keep_alive: "5m", extra: null });
  assertEquals(model.asked, {
    input: ["a"],
    params: { dimensions: 3, user: "ann", extra: { keep_alive: "5m", extra: null } },
  });
  const { json } = await embed(app, { input: "a" });
  assertEquals([json.model, json.usage], ["m", { prompt_tokens: 0, total_tokens: 0 }]);
});

Deno.test("POST /v1/embeddings writes 32-bit floats in base64, little-endian", async () => {
  const { json } = await embed(testApp({ m: new Vectors(() => [[1, -0.5, 0.1]]) }), {
    input: "a",
    encoding_format: "base64",
  });
  // 1 is 3f800000, -0.5 is bf000000, 0.1 is about 3dcccccd.
  assertEquals(json.data[0].embedding, btoa("\x00\x00\x80\x3f\x00\x00\x00\xbf\xcd\xcc\xcc\x3d"));
  validateBodyOfText(json);
  const app = testApp({ m: new Vectors(() => [[1e300]]) });
  assertEquals((await embed(app, { input: "a" })).json.data[0].embedding, [1e300]);
  assertError(await embed(app, { input: "a", encoding_format: "base64" }), 500, "invalid_model_output");
});

/** OpenAI's schema knows vectors of numbers only, though its servers write base64. */
function validateBodyOfText(json: { readonly data: readonly { readonly embedding: string }[] }): void {
  const data = json.data.map((item) => ({ ...item, embedding: decode(item.embedding) }));
  validateBody("CreateEmbeddingResponse", { ...json, data });
}

for (
  const { name, body, param } of [
    { name: "no input", body: {}, param: "input" },
    { name: "null as input", body: { input: null }, param: "input" },
    { name: "an empty text", body: { input: "" }, param: "input" },
    { name: "an empty text among others", body: { input: ["a", ""] }, param: "input.1" },
    { name: "no texts", body: { input: [] }, param: "input" },
    { name: "2049 texts", body: { input: Array(2049).fill("a") }, param: "input" },
    { name: "token ids", body: { input: [1, 2] }, param: "input" },
    { name: "lists of token ids", body: { input: [[1]] }, param: "input" },
    { name: "an object as input", body: { input: {} }, param: "input" },
    { name: "an unknown format", body: { input: "a", encoding_format: "int8" }, param: "encoding_format" },
    { name: "0 dimensions", body: { input: "a", dimensions: 0 }, param: "dimensions" },
    { name: "half a dimension", body: { input: "a", dimensions: 1.5 }, param: "dimensions" },
    { name: "a user that is no text", body: { input: "a", user: 1 }, param: "user" },
    { name: "4097 dimensions of the demo model", body: { input: "a", dimensions: 4097 }, param: "dimensions" },
    { name: "a body that is a list", body: [], param: null },
  ]
) {
  Deno.test(`POST /v1/embeddings refuses ${name}`, async () => {
    assertError(await embed(demoApp(), body), 400, "invalid_value", param);
  });
}

Deno.test("POST /v1/embeddings tells of all that is wrong, without the texts", async () => {
  const { json } = await embed(demoApp(), { input: [1, "secret"], dimensions: -1 });
  assertStringIncludes(json.error.message, "token ids");
  assertStringIncludes(json.error.message, "dimensions");
  assert(!json.error.message.includes("secret"));
});

Deno.test("POST /v1/embeddings refuses models that make no vectors", async () => {
  class Doubler extends CustomModel {
    override predict(_context: ModelContext, input: unknown): unknown {
      return input;
    }
  }
  const app = testApp({ parrot: new Parrot(), doubler: Doubler });
  const { json } = await embed(app, { input: "a", model: "parrot" });
  assertEquals(json.error.type, "invalid_request_error");
  assertError(await embed(app, { input: "a", model: "parrot" }), 400, "unsupported_feature", "model");
  assertError(await embed(app, { input: "a", model: "doubler" }), 400, "unsupported_model", "model");
  assertError(await embed(app, { input: "a", model: "none" }), 404, "model_not_found", "model");
  assertError(await send(app, "/v1/embeddings"), 405, "method_not_supported");
});

for (
  const { name, give } of [
    { name: "nothing", give: () => undefined },
    { name: "text", give: () => "a" },
    { name: "a vector rather than a list of them", give: () => [1] },
    { name: "too few vectors", give: () => [] },
    { name: "too many vectors", give: () => [[1], [2]] },
    { name: "an empty vector", give: () => [[]] },
    { name: "a vector with NaN", give: () => [[1, NaN]] },
    { name: "a vector with text", give: () => [["1"]] },
    { name: "a vector with holes", give: () => [new Array(2)] },
    { name: "null for a vector", give: () => [null] },
    { name: "an object without vectors", give: () => ({ data: [[1]] }) },
    { name: "negative usage", give: () => ({ embeddings: [[1]], usage: { prompt_tokens: -1 } }) },
  ]
) {
  Deno.test(`LoadedChatModel.embed() refuses a model that gives ${name}`, async () => {
    const model = await loadChatModel(new Vectors(give));
    const error = await assertRejects(() => model.embed({ input: "a" }), ChatModelError);
    assertEquals([error.code, error.status], ["invalid_model_output", 500]);
  });
}

Deno.test("LoadedChatModel.embed() refuses vectors of several lengths, or of another than was asked for", async () => {
  const model = await loadChatModel(new Vectors(() => [[1, 2], [3]]));
  await assertRejects(() => model.embed({ input: ["a", "b"] }), ChatModelError, "has 1 numbers, and must have 2");
  await assertRejects(() => model.embed({ input: ["a", "b"], dimensions: 3 }), ChatModelError, "must have 3");
});

Deno.test("LoadedChatModel.embed() hands on what the model throws, and the signal's reason", async () => {
  const failing = await loadChatModel(
    new Vectors(() => {
      throw new TypeError("no luck");
    }),
  );
  await assertRejects(() => failing.embed({ input: "a" }), TypeError, "no luck");
  const reasons: unknown[] = [];
  const asked = Promise.withResolvers<void>();
  const waiting = await loadChatModel(
    new Vectors(({ signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        asked.resolve();
      })
    ),
  );
  const controller = new AbortController();
  const reason = new Error("enough");
  const embedding = waiting.embed({ input: "a" }, { signal: controller.signal });
  await asked.promise;
  controller.abort(reason);
  assertEquals(await embedding.catch((error) => error), reason);
  assertEquals(reasons, [reason]);
  assertEquals(await waiting.embed({ input: "a" }, { signal: controller.signal }).catch((error) => error), reason);
  await assertRejects(() => waiting.embed({ input: "a" }, { timeout: 10 }), ChatModelError, "more than 10 ms");
});

Deno.test("POST /v1/embeddings ends the model's work when the server stops", async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const app = testApp({
    m: new Vectors((context) => new Promise(() => asked.resolve(context.signal))),
  });
  const answering = embed(app, { input: "a" });
  const signal = await asked.promise;
  app.abort(new ChatModelError("Cannot finish the answer: the server stops", { code: "server_stopping" }));
  assertError(await answering, 503, "server_stopping");
  assert(signal.aborted);
});

Deno.test("DemoChatModel.embed() gives unit vectors, the same for the same text", async () => {
  const model = await loadChatModel(DemoChatModel);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, unit: "grapheme" }),
      fc.integer({ min: 1, max: 200 }),
      async (text, dimensions) => {
        const { data: [first, second] } = await model.embed({ input: [text, text], dimensions });
        assert(first !== undefined && typeof first.embedding !== "string");
        assertEquals(first.embedding, second?.embedding);
        assertEquals(first.embedding.length, dimensions);
        const norm = Math.hypot(...first.embedding);
        assert(Math.abs(norm - 1) < 1e-9, `${norm}`);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("DemoChatModel.embed() brings texts with words in common near each other", async () => {
  const model = await loadChatModel(DemoChatModel);
  const input = ["The cat sat on the mat", "the CAT, on a mat!", "Quarterly revenue grew strongly", "?!"];
  const { data, usage } = await model.embed({ input });
  const [cat = [], again = [], money = [], marks = []] = data.map(({ embedding }) =>
    typeof embedding === "string" ? [] : embedding
  );
  assertEquals([cat.length, marks.length], [64, 64]);
  assert(cosine(cat, again) > 0.5, `${cosine(cat, again)}`);
  assert(cosine(cat, money) < 0.3, `${cosine(cat, money)}`);
  assertNotEquals(cat, again);
  assertEquals(usage.prompt_tokens, 6 + 5 + 4 + 1);
});

Deno.test("DemoChatModel.embed() can be slow, and is ended by its signal", async () => {
  const model = await loadChatModel(new DemoChatModel({ delay: 60_000 }));
  const controller = new AbortController();
  const embedding = model.embed({ input: ["a", "b"] }, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => embedding, Error, "enough");
  const quick = await loadChatModel(new DemoChatModel({ delay: 1 }));
  assertEquals((await quick.embed({ input: ["a", "b"] })).data.length, 2);
});

Deno.test("LoadedChatModel.embed() checks its request", async () => {
  const model = await loadChatModel(DemoChatModel);
  const error = await assertRejects(() => model.embed({ input: "" }), ValidationError);
  assertEquals(error.issues.map(({ path }) => path), ["input"]);
});

Deno.test("OllamaModels reaches models for vectors by name, though it lists only those that chat", async () => {
  const capabilities: Readonly<Record<string, readonly string[]>> = {
    "nomic-embed-text:latest": ["embedding"],
    "llama3.2:1b": ["completion"],
  };
  await using upstream = await startFakeUpstream(({ path, body }) => {
    if (path === "/api/embed") return json({ embeddings: [[1, 0]], prompt_eval_count: 2 });
    if (path === "/api/tags") return json({ models: Object.keys(capabilities).map((name) => ({ name })) });
    return json({ capabilities: capabilities[JSON.parse(body).model] });
  });
  const models = new OllamaModels({ client: new OllamaClient({ host: upstream.url }) });
  await using served = await serveModels(models);
  const { data } = await served.client.models.list();
  assertEquals(data.map(({ id }) => id), ["llama3.2:1b"]);
  const { data: [first], usage } = await served.client.embeddings.create({ model: "nomic-embed-text", input: "a" });
  assertEquals([first?.embedding, usage.prompt_tokens], [[1, 0], 2]);
  assertEquals(JSON.parse(upstream.requests.at(-1)?.body ?? "").model, "nomic-embed-text");
});

Deno.test("openai's client gets vectors, in base64 as it asks by default, and as numbers", async () => {
  await using served = await serveModels({ demo: DemoChatModel, parrot: new Parrot() });
  const { embeddings } = served.client;
  const input = ["The cat sat on the mat", "Dogs bark"];
  const packed = await embeddings.create({ model: "demo", input });
  const plain = await embeddings.create({ model: "demo", input, encoding_format: "float", dimensions: 64 });
  assertEquals(packed.data.length, 2);
  for (const [i, { embedding, index }] of plain.data.entries()) {
    assertEquals([index, embedding.length], [i, 64]);
    assertEquals(packed.data[i]?.embedding, [...new Float32Array(embedding)]);
  }
  assertEquals(packed.usage, { prompt_tokens: 8, total_tokens: 8 });
  await assertRejects(() => embeddings.create({ model: "parrot", input }), BadRequestError, "makes no vectors");
  await assertRejects(() => embeddings.create({ model: "demo", input: [[1]] }), BadRequestError, "token ids");
});
