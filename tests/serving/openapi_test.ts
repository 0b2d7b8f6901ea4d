import { assert, assertEquals } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { ChatModelError } from "../../mod.ts";
import { createApp, MemoryResponseStore } from "../../serve.ts";
import { StaticDirectory } from "../../serving/directory.ts";
import { BodyBudget } from "../../serving/_body_budget.ts";
import { Readiness } from "../../serving/_health.ts";
import { makeRoutes } from "../../serving/_routes.ts";
import { generated } from "../../serving/openapi/generate.ts";
import { testApp } from "./_app.ts";
import { exchange, frames, type Sent } from "./openapi/_checked.ts";
import { at, document, object, schemaAt } from "./openapi/_document.ts";
import { Echo, Everything, Failing } from "./openapi/_models.ts";
import { findOperations } from "./openapi/_operations.ts";

const app = testApp({ everything: new Everything(), demo: new DemoChatModel(), echo: new Echo() });

const messages = [{ role: "user", content: "Hello" }];
const tools = [{ type: "function", function: { name: "f" } }];

Deno.test("_openapi_document.ts is what its generator makes", async () => {
  const written = await Deno.readTextFile(new URL("../../serving/_openapi_document.ts", import.meta.url));
  assertEquals(written, generated(), "Run 'deno task generate'");
  assertEquals(generated(), generated());
});

Deno.test("The document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  assertEquals([result.valid, result.errors], [true, undefined]);
  assertEquals(validator.version, "3.1");
  // A validator that takes anything would prove nothing.
  assert(!(await new Validator().validate({ ...document, paths: { "/x": { get: { responses: 1 } } } })).valid);
});

Deno.test("The document has every route, and no other", () => {
  const directory = new StaticDirectory({ echo: new Echo() }, {});
  const routes = makeRoutes({
    directory,
    bodies: { maxSize: 1, budget: new BodyBudget(1) },
    keepAliveInterval: 1,
    statusWait: 1,
    storeOf: () => new MemoryResponseStore(),
    admission: undefined,
    report: ChatModelError.from,
  }, { playground: true, readiness: new Readiness({ directory, onChange: () => {} }) });
  const bare = new Set([
    "/invocations",
    "/ping",
    "/health",
    "/health/live",
    "/health/ready",
    "/version",
    "/openapi.json",
    "/",
  ]);
  const expected = Object.entries(routes).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${bare.has(path) ? path : `/v1${path.replace(":id", "{id}")}`}`)
  );
  assertEquals(findOperations().sort(), expected.sort());
});

Deno.test("The document has each operation's name once, and no reference that leads nowhere", () => {
  const ids: string[] = [];
  for (const operations of Object.values(object(document["paths"]))) {
    for (const operation of Object.values(object(operations))) ids.push(String(object(operation)["operationId"]));
  }
  assertEquals(ids.length, new Set(ids).size);
  const used = new Set([...JSON.stringify(document).matchAll(/"#\/components\/([^"]+)"/g)].map(([, path]) => path));
  const { components } = document;
  // Security schemes are named by what needs them, rather than referred to.
  const { securitySchemes, ...referred } = object(components);
  assertEquals(Object.keys(object(securitySchemes)), ["apiKey"]);
  const there = Object.entries(referred).flatMap(([kind, named]) =>
    Object.keys(object(named)).map((name) => `${kind}/${name}`)
  );
  assertEquals([...used].filter((path) => path === undefined || !there.includes(path)), []);
  assertEquals(there.filter((path) => !used.has(path)), []);
});

Deno.test("App.fetch() serves the document, whose server is the one that sent it", async () => {
  const { json } = await exchange(app, { path: "/openapi.json" });
  assertEquals(json, document);
  assertEquals(document["servers"], [{ url: "/" }]);
});

/** Labels beyond all limits of answers that are kept. */
const MANY_LABELS = {
  ...Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i])),
  ["x".repeat(65)]: "y".repeat(513),
};

/** Requests with what they are answered with, each checked by the document. */
const CASES: readonly (readonly [status: number, sent: Sent])[] = [
  [200, { path: "/v1/chat/completions", body: { messages } }],
  [200, { path: "/v1/chat/completions", body: { messages, tools, n: 2 } }],
  [200, { path: "/v1/chat/completions", body: { messages, stream: true, stream_options: { include_usage: true } } }],
  [200, { path: "/v1/chat/completions", body: { messages, tools, stream: true } }],
  [200, { path: "/v1/chat/completions", body: { model: "demo", messages, reasoning_effort: "high", logprobs: true } }],
  [200, { path: "/v1/chat/completions", body: { messages, tools: [{ type: "custom", custom: { name: "c" } }] } }],
  [400, { path: "/v1/chat/completions", body: { messages: [] } }],
  [400, { path: "/v1/chat/completions", body: "{" }],
  [403, { path: "/v1/chat/completions", body: { messages }, headers: { origin: "http://evil.test" } }],
  [404, { path: "/v1/chat/completions", body: { model: "nowhere", messages } }],
  [415, { path: "/v1/chat/completions", body: { messages }, headers: { "content-encoding": "lzma" } }],
  [400, { path: "/v1/chat/completions", body: { messages }, headers: { "content-encoding": "gzip" } }],
  [400, { path: "/v1/chat/completions", body: { model: "echo", messages } }],
  [500, { path: "/v1/chat/completions", body: { messages: [{ role: "user", content: "bug" }] } }],
  [503, { path: "/v1/chat/completions", body: { messages: [{ role: "user", content: "busy" }] } }],
  [200, { path: "/health/live" }],
  [200, { path: "/health/ready" }],
  [200, { path: "/v1/chat/completions" }],
  [200, { path: "/v1/chat/completions", query: "?limit=1&order=desc&model=x&metadata[a]=b" }],
  [400, { path: "/v1/chat/completions", query: "?limit=0" }],
  [400, { path: "/v1/chat/completions", query: "?after=x" }],
  [400, { path: "/v1/chat/completions", query: "?metadata[a]=1&metadata[a]=2" }],
  [400, { path: "/v1/chat/completions", query: "?model=x&model=y" }],
  [400, { path: "/v1/chat/completions", query: "?limit=1&limit=2" }],
  [404, { path: "/v1/chat/completions/{id}", id: "x" }],
  [404, { path: "/v1/chat/completions/{id}", id: "x", method: "DELETE" }],
  [404, { path: "/v1/chat/completions/{id}", id: "x", body: { metadata: {} } }],
  [400, { path: "/v1/chat/completions/{id}", id: "x", body: { metadata: 1 } }],
  [404, { path: "/v1/chat/completions/{id}/messages", id: "x" }],
  [200, { path: "/v1/responses", body: { input: "Hello" } }],
  [200, { path: "/v1/responses", body: { input: "Hello", stream: true, reasoning: { summary: "auto" } } }],
  [200, {
    path: "/v1/responses",
    body: { input: "Hello", tools: [{ type: "function", name: "f" }], stream: true },
  }],
  [200, {
    path: "/v1/responses",
    body: { input: "Hello", tools: [{ type: "function", name: "f", parameters: {} }], tool_choice: "auto" },
  }],
  [200, {
    path: "/v1/responses",
    body: { model: "demo", input: "Hello", text: { format: { type: "json_object" } }, metadata: { a: "b" }, user: "u" },
  }],
  [400, { path: "/v1/responses", body: {} }],
  [400, { path: "/v1/responses", body: { input: "Hello", metadata: { a: "x".repeat(513) } } }],
  [400, { path: "/v1/chat/completions", body: { messages, metadata: { ["x".repeat(65)]: "a" } } }],
  [400, { path: "/v1/responses", body: { input: "Hello", previous_response_id: "x" } }],
  [404, { path: "/v1/responses", body: { input: [{ type: "item_reference", id: "x" }] } }],
  [503, { path: "/v1/responses", body: { input: "busy", stream: true } }],
  [404, { path: "/v1/responses/{id}", id: "x" }],
  [400, { path: "/v1/responses/{id}", id: "x", query: "?stream=true" }],
  [400, { path: "/v1/responses/{id}", id: "x", query: "?stream=false&stream=true" }],
  [404, { path: "/v1/responses/{id}", id: "x", method: "DELETE" }],
  [404, { path: "/v1/responses/{id}/input_items", id: "x" }],
  [404, { path: "/v1/responses/{id}/cancel", id: "x", method: "POST" }],
  [404, { path: "/v1/responses/input_tokens", method: "POST" }],
  [404, { path: "/v1/responses/compact", method: "POST" }],
  [200, { path: "/v1/completions", body: { prompt: ["a", "b"], n: 2, logprobs: 1 } }],
  [200, { path: "/v1/completions", body: { prompt: "a", stream: true, stream_options: { include_usage: true } } }],
  [200, { path: "/v1/completions", body: { prompt: "a", stream: true, logprobs: 1 } }],
  [400, { path: "/v1/completions", body: { prompt: [] } }],
  [400, { path: "/v1/completions", body: { prompt: "a", best_of: 2 } }],
  [200, { path: "/v1/embeddings", body: { input: ["a", "b"] } }],
  [200, { path: "/v1/embeddings", body: { input: "a", encoding_format: "base64" } }],
  [400, { path: "/v1/embeddings", body: { input: "" } }],
  [200, { path: "/v1/models" }],
  [200, { path: "/v1/models/{id}", id: "demo" }],
  [404, { path: "/v1/models/{id}", id: "a/b" }],
  [403, { path: "/v1/models/{id}", id: "demo", method: "DELETE" }],
  [404, { path: "/v1/models/{id}", id: "x", method: "DELETE" }],
  [200, { path: "/invocations", body: { messages } }],
  [200, { path: "/invocations", body: { messages, stream: true } }],
  [200, { path: "/invocations", body: { messages, metadata: MANY_LABELS } }],
  [200, { path: "/invocations", body: { inputs: { messages } } }],
  [200, { path: "/invocations", body: { model: "echo", inputs: [1, "a"] } }],
  [200, { path: "/invocations", body: { model: "echo", prompt: "a" } }],
  [200, { path: "/invocations", body: { model: "echo", dataframe_split: { columns: ["a"], data: [[1], [2]] } } }],
  [400, { path: "/invocations", body: {} }],
  [400, { path: "/invocations", body: "" }],
  [400, { path: "/invocations", body: { messages: 1 } }],
  [403, { path: "/invocations", body: { messages }, headers: { origin: "http://evil.test" } }],
  [404, { path: "/invocations", body: { model: "x", messages } }],
  [415, { path: "/invocations", body: { messages }, headers: { "content-type": "text/plain" } }],
  [500, { path: "/invocations", body: { messages: [{ role: "user", content: "bug" }] } }],
  [503, { path: "/invocations", body: { messages: [{ role: "user", content: "busy" }] } }],
  [200, { path: "/ping" }],
  [200, { path: "/health" }],
  [200, { path: "/version" }],
  [200, { path: "/" }],
  [200, { path: "/", headers: { accept: "text/html" } }],
  [403, { path: "/", headers: { origin: "http://evil.test" } }],
  [200, { path: "/openapi.json" }],
];

for (const [status, sent] of CASES) {
  const { path, method = sent.body === undefined ? "GET" : "POST", body, query = "" } = sent;
  const what = `${method} ${path}${query} ${body === undefined ? "" : JSON.stringify(body).slice(0, 80)}`.trimEnd();
  Deno.test(`App.fetch() answers ${what} with ${status}, as the document says`, async () => {
    assertEquals((await exchange(app, sent)).status, status);
  });
}

Deno.test("App.fetch() is asked every operation of the document in these tests", () => {
  const asked = new Set(
    CASES.map(([, { path, body, method = body === undefined ? "GET" : "POST" }]) => `${method} ${path}`),
  );
  assertEquals(findOperations().filter((operation) => !asked.has(operation)), []);
});

Deno.test("App.fetch() answers as the document says when answers are kept", async () => {
  const made = await exchange(app, {
    path: "/v1/chat/completions",
    body: { messages, store: true, metadata: { a: "b" } },
  });
  const id = String(object(made.json)["id"]);
  const completion = "/v1/chat/completions/{id}";
  for (
    const sent of [
      { path: "/v1/chat/completions", query: "?metadata[a]=b" },
      { path: completion, id },
      { path: completion, id, body: { metadata: null } },
      { path: `${completion}/messages`, id },
      { path: completion, id, method: "DELETE" },
    ]
  ) assertEquals((await exchange(app, sent)).status, 200);
  const response = await exchange(app, {
    path: "/v1/responses",
    body: {
      instructions: "Be short",
      input: [
        { role: "user", content: [{ type: "input_text", text: "Hello" }] },
        { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "c", output: "1" },
      ],
    },
  });
  const responseId = String(object(response.json)["id"]);
  const path = "/v1/responses/{id}";
  const again = { input: "Again", previous_response_id: responseId };
  assertEquals((await exchange(app, { path: "/v1/responses", body: again })).status, 200);
  assertEquals((await exchange(app, { path, id: responseId, query: "?stream=false" })).status, 200);
  assertEquals((await exchange(app, { path: `${path}/input_items`, id: responseId, query: "?limit=2" })).status, 200);
  const twice = { path: `${path}/input_items`, id: responseId, query: "?order=asc&order=desc" };
  assertEquals((await exchange(app, twice)).status, 400);
  assertEquals((await exchange(app, { path: `${path}/cancel`, id: responseId, method: "POST" })).status, 400);
  assertEquals((await exchange(app, { path, id: responseId, method: "DELETE" })).status, 200);
});

/** Requests to stream, and the type of their frame that tells of an error. */
const STREAMS = [
  { path: "/v1/chat/completions", body: { messages, stream: true } },
  { path: "/v1/completions", body: { prompt: "Hello", stream: true } },
  { path: "/v1/responses", body: { input: "Hello", stream: true }, type: "response.failed" },
  { path: "/invocations", body: { messages, stream: true } },
];

for (const { path, body, type } of STREAMS) {
  Deno.test(`App.fetch() answers ${path} with a status when a stream fails before its first frame, as the document says`, async () => {
    const failing = testApp({ failing: new Failing() });
    const { status, json } = await exchange(failing, { path, body });
    assertEquals(status, 500);
    const { error, error_code: mlflowCode } = object(json);
    if (path === "/invocations") assertEquals(mlflowCode, "INTERNAL_ERROR");
    else assertEquals(object(error)["code"], "model_error");
  });

  Deno.test(`App.fetch() ends ${path} with an error frame when a stream fails after its first one, as the document says`, async () => {
    const failing = testApp({ failing: new Failing("One ") });
    const { status, text } = await exchange(failing, { path, body });
    assertEquals(status, 200);
    const found = frames(text);
    assert(found.length > 1 && found.slice(0, -1).some((frame) => frame.includes("One ")), text);
    const last = object(JSON.parse(found.at(-1) ?? ""));
    assertEquals(last["type"], type);
    const { error } = type === undefined ? last : object(last["response"]);
    assertEquals(object(error)["code"], type === undefined ? "model_error" : "server_error");
  });
}

Deno.test("The document tells of a list of models that cannot be had", async () => {
  const failing = createApp({
    find: () => undefined,
    list: () => Promise.reject(new Error("no list")),
  }, { onError() {} });
  for (const sent of [{ path: "/v1/models" }, { path: "/v1/models/{id}", id: "x" }]) {
    assertEquals((await exchange(failing, sent)).status, 500);
  }
});

Deno.test("The document tells of a store that fails", async () => {
  const fail = () => Promise.reject(new Error("no store"));
  const responseStore = { get: fail, set: fail, delete: fail, list: fail };
  const failing = testApp({ everything: new Everything() }, { responseStore });
  for (
    const sent of [
      { path: "/v1/chat/completions", body: { messages, store: true } },
      { path: "/v1/chat/completions" },
      { path: "/v1/chat/completions/{id}", id: "x" },
      { path: "/v1/chat/completions/{id}", id: "x", method: "DELETE" },
      { path: "/v1/chat/completions/{id}", id: "x", body: { metadata: {} } },
      { path: "/v1/chat/completions/{id}/messages", id: "x" },
      { path: "/v1/responses", body: { input: "Hello" } },
      { path: "/v1/responses", body: { input: "Hello", previous_response_id: "x" } },
      { path: "/v1/responses/{id}", id: "x" },
      { path: "/v1/responses/{id}", id: "x", method: "DELETE" },
      { path: "/v1/responses/{id}/input_items", id: "x" },
      { path: "/v1/responses/{id}/cancel", id: "x", method: "POST" },
    ]
  ) assertEquals((await exchange(failing, sent)).status, 500, JSON.stringify(sent));
});

Deno.test("The document tells of a model's own errors, which may have any status", async () => {
  const body = JSON.stringify({ messages: [{ role: "user", content: "teapot" }] });
  for (const path of ["/v1/chat/completions", "/invocations"]) {
    const headers = { "content-type": "application/json" };
    const response = await app.fetch(new Request(`http://server.test${path}`, { method: "POST", headers, body }));
    assertEquals(response.status, 418);
    const pointer = at("paths", path, "post", "responses", "default")?.pointer;
    const validate = schemaAt(`${pointer}/content/application~1json/schema`);
    assert(validate(await response.json()), JSON.stringify(validate.errors));
  }
});

Deno.test("The document has labels within limits where they are checked, and any elsewhere", async () => {
  const bodies = {
    "/v1/chat/completions": { messages, metadata: MANY_LABELS },
    "/v1/responses": { input: "Hello", metadata: MANY_LABELS },
    "/v1/completions": { prompt: "Hello", metadata: MANY_LABELS },
    "/v1/embeddings": { input: "Hello", metadata: MANY_LABELS },
    "/invocations": { messages, metadata: MANY_LABELS },
  };
  const taken: string[] = [];
  for (const [path, body] of Object.entries(bodies)) {
    const { status } = await exchange(app, { path, body });
    const pointer = at("paths", path, "post", "requestBody", "content", "application/json", "schema")?.pointer;
    assertEquals(schemaAt(pointer ?? "")(body), status === 200, path);
    if (status === 200) taken.push(path);
  }
  assertEquals(taken, ["/v1/completions", "/v1/embeddings", "/invocations"]);
});
