import { assert, assertEquals, assertRejects } from "@std/assert";
import OpenAI, { AuthenticationError, NotFoundError, PermissionDeniedError } from "openai";
import { Registry } from "./_registry.ts";
import {
  type Answer,
  ask,
  type Asking,
  assertRefused,
  CHAT,
  chat,
  Doubler,
  guarded,
  Parrot,
  SECRETS,
  TWO_KEYS,
} from "./_guarded.ts";
import { OPENAPI_DOCUMENT } from "../../../serving/_openapi_document.ts";

const start = () =>
  guarded({ parrot: Parrot, owl: Parrot, doubler: Doubler }, { apiKeys: TWO_KEYS, metrics: new Registry() });

/** Routes for which no key is asked for. */
const PUBLIC = ["/", "/openapi.json", "/version", "/ping", "/health", "/health/live", "/health/ready"];

/** All routes by method, as they are described; with an id in its place. */
function routes(): { readonly method: string; readonly path: string }[] {
  const { paths } = JSON.parse(OPENAPI_DOCUMENT);
  const described = Object.keys(paths).flatMap((path) =>
    Object.keys(paths[path]).map((method) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/, "some_id"),
    }))
  );
  return [...described, { method: "GET", path: "/metrics" }];
}

/** Says what is wrong with a key, as a header. */
const BAD_KEYS: Readonly<Record<string, string | undefined>> = {
  "without a key": undefined,
  "with an unknown key": `Bearer sk-${"0".repeat(48)}`,
  "with a key that lacks its last character": `Bearer ${SECRETS.all.slice(0, -1)}`,
  "with a key in another scheme": `Basic ${btoa(`user:${SECRETS.all}`)}`,
};

for (const [how, authorization] of Object.entries(BAD_KEYS)) {
  Deno.test(`createApp() answers every route but the public ones with 401 when it is asked ${how}`, async () => {
    await using server = await start();
    const protectedRoutes = routes().filter(({ path }) => !PUBLIC.includes(path));
    assert(protectedRoutes.length >= 18, `${protectedRoutes.length}`);
    for (const { method, path } of protectedRoutes) {
      const answer = await ask(server, path, {
        method,
        headers: authorization === undefined ? {} : { authorization },
        ...(method === "POST" && { body: "{" }),
      });
      if (path === "/invocations") {
        assertEquals([answer.status, answer.json.error_code], [401, "BAD_REQUEST"], path);
      } else assertRefused(answer, 401, "invalid_api_key");
      assertEquals(answer.headers.get("www-authenticate"), "Bearer", path);
      assertEquals(answer.headers.get("x-should-retry"), "false", path);
    }
    // It is no fault of the server's.
    assertEquals(server.errors, []);
    assertEquals(
      new Set(server.records.map(({ keyName, outcome, asked }) => `${keyName} ${outcome} ${asked}`)).size,
      1,
    );
    assertEquals(server.records[0]?.errorCode, "invalid_api_key");
  });
}

Deno.test("createApp() answers the public routes and preflights without a key", async () => {
  await using server = await start();
  for (const path of PUBLIC) {
    const answer = await ask(server, path, { headers: { accept: "text/html, */*" } });
    assertEquals([path, answer.status], [path, 200]);
    assertEquals(/parrot|doubler/.test(answer.text), false, path);
  }
  for (const { path } of routes()) {
    const { status } = await ask(server, path, {
      method: "OPTIONS",
      headers: { origin: "http://localhost:3000", "access-control-request-headers": "authorization" },
    });
    assertEquals([path, status], [path, 204]);
  }
});

Deno.test("createApp() lets a page read that its key was refused", async () => {
  await using server = await start();
  const answer = await ask(server, CHAT, { body: chat("Hi"), headers: { origin: "http://localhost:3000" } });
  assertRefused(answer, 401, "invalid_api_key");
  assertEquals(answer.headers.get("access-control-allow-origin"), "http://localhost:3000");
});

/** All ways to ask a model. */
function asks(model: string | undefined): readonly (readonly [path: string, body: Record<string, unknown>])[] {
  const named = model === undefined ? {} : { model };
  return [
    [CHAT, chat("Hi", named)],
    [CHAT, chat("Hi", { ...named, stream: true })],
    ["/v1/responses", { input: "Hi", ...named }],
    ["/v1/responses", { input: "Hi", stream: true, ...named }],
    ["/v1/completions", { prompt: "Hi", ...named }],
    ["/v1/completions", { prompt: ["Hi", "Ho"], stream: true, ...named }],
    ["/v1/embeddings", { input: "Hi", ...named }],
    ["/invocations", chat("Hi", named)],
    ["/invocations", { inputs: [chat("Hi", named)] }],
    ["/invocations", { inputs: [chat("Hi")], ...named }],
  ];
}

function assertForbidden(answer: Answer, path: string): void {
  if (path === "/invocations") {
    assertEquals([answer.status, answer.json.error_code], [403, "BAD_REQUEST"], answer.text);
  } else assertRefused(answer, 403, "model_not_allowed", "model");
}

Deno.test("createApp() answers 403 on every route when the key is not for the model", async () => {
  await using server = await start();
  for (const model of ["owl", "owl:latest", "doubler", "none"]) {
    for (const [path, body] of asks(model)) assertForbidden(await ask(server, path, { body, as: "parrot" }), path);
    for (const method of ["GET", "DELETE"]) {
      assertForbidden(await ask(server, `/v1/models/${model}`, { method, as: "parrot" }), "/v1/models");
    }
  }
  for (const body of [{ model: "doubler", inputs: "a" }, { inputs: { model: "doubler" } }]) {
    assertForbidden(await ask(server, "/invocations", { body, as: "parrot" }), "/invocations");
  }
  assertEquals(new Set(server.records.map(({ asked }) => asked)), new Set([false]));
});

Deno.test("createApp() answers on every route when the key is for the model, named or not", async () => {
  await using server = await start();
  for (const model of ["parrot", "parrot:latest", undefined]) {
    for (const [path, body] of asks(model)) {
      const { status, text } = await ask(server, path, { body, as: "parrot" });
      assertEquals([path, status], [path, 200], text);
    }
  }
  assertEquals((await ask(server, "/v1/models/parrot", { as: "parrot" })).status, 200);
  const custom = await ask(server, "/invocations", { body: { model: "doubler", inputs: "ab" }, as: "all" });
  assertEquals(custom.json, { predictions: "abab" });
});

Deno.test("createApp() answers 403 when no model is named and the key is not for the default one", async () => {
  await using server = await guarded({ owl: Parrot, parrot: Parrot }, { apiKeys: TWO_KEYS });
  for (const [path, body] of asks(undefined)) assertForbidden(await ask(server, path, { body, as: "parrot" }), path);
});

Deno.test("createApp() lists the models that the key is for", async () => {
  await using server = await start();
  const names = async (as: NonNullable<Asking["as"]>) =>
    (await ask(server, "/v1/models", { as })).json.data.map(({ id }: { readonly id: string }) => id);
  assertEquals(await names("all"), ["parrot", "owl"]);
  assertEquals(await names("parrot"), ["parrot"]);
});

Deno.test("createApp() answers metrics on its own port to those who have a key", async () => {
  await using server = await start();
  const { status, headers, text } = await ask(server, "/metrics", { as: "all" });
  assertEquals([status, headers.get("content-type"), text], [200, "text/plain; version=0.0.4", "up 1\n"]);
});

Deno.test("openai's client throws AuthenticationError and PermissionDeniedError", async () => {
  await using server = await start();
  const client = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${server.url}/v1` });
  const messages = [{ role: "user" as const, content: "Hi" }];
  const wrong = client("sk-wrong-key-that-is-long-enough");
  for (
    const ask of [
      () => wrong.chat.completions.create({ model: "parrot", messages }),
      () => wrong.chat.completions.create({ model: "parrot", messages, stream: true }),
      () => wrong.responses.create({ model: "parrot", input: "Hi" }),
      () => wrong.models.list(),
    ]
  ) {
    const error = await assertRejects(async () => void await ask(), AuthenticationError);
    assertEquals([error.status, error.code, error.type], [401, "invalid_api_key", "invalid_request_error"]);
  }
  const own = client(SECRETS.parrot);
  const error = await assertRejects(
    async () => void await own.chat.completions.create({ model: "owl", messages }),
    PermissionDeniedError,
  );
  assertEquals([error.status, error.code, error.param], [403, "model_not_allowed", "model"]);
  await assertRejects(async () => void await client(SECRETS.all).models.retrieve("none"), NotFoundError);
  const answer = await own.chat.completions.create({ model: "parrot", messages });
  assertEquals(answer.choices[0]?.message.content, "Hi");
  // None was tried again: that would not help.
  assertEquals(server.records.length, 7);
});
