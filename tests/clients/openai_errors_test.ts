/** Errors as OpenAI's own client reads them, and what it tries again. */
import {
  APIError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  type OpenAI,
  PermissionDeniedError,
} from "openai";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { BACKENDS, chatBodies, OLLAMA_MODEL, serveModels, serveOllama } from "./_served.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { ChatModel, OverloadedError } from "../../mod.ts";
import { VERSIONS } from "../support/replay.ts";

const MESSAGES = [{ role: "user" as const, content: "Hi there" }];

/** What a client throws at its user, with the text that came before. */
async function failureOf(client: OpenAI, model: string, stream: boolean): Promise<{ error: APIError; text: string }> {
  let text = "";
  const error = await assertRejects(async () => {
    if (!stream) await client.chat.completions.create({ model, messages: MESSAGES });
    else {
      const chunks = await client.chat.completions.create({ model, messages: MESSAGES, stream: true });
      for await (const chunk of chunks) text += chunk.choices[0]?.delta.content ?? "";
    }
  });
  assertInstanceOf(error, APIError);
  return { error, text };
}

for (const stream of [false, true]) {
  const way = stream ? "streamed" : "not streamed";

  for (const { name, serve } of BACKENDS) {
    Deno.test(`openai create() throws NotFoundError when there is no such model beside ${name}, ${way}`, async () => {
      await using served = await serve([]);
      const { error } = await failureOf(served.client, "gpt-5", stream);
      assertInstanceOf(error, NotFoundError);
      assertEquals([error.code, error.param, error.type], ["model_not_found", "model", "invalid_request_error"]);
      assertStringIncludes(error.message, '"gpt-5"');
      assertMatch(error.requestID ?? "", /^req_/);
    });

    Deno.test(`openai create() throws BadRequestError with a path when a message is wrong for ${name}, ${way}`, async () => {
      await using served = await serve([]);
      // By its untyped way, as the client's types would not let it pass.
      const error = await assertRejects(() =>
        served.client.post("/chat/completions", { body: { messages: [{ role: "wizard", content: "Hi" }], stream } })
      );
      assertInstanceOf(error, BadRequestError);
      assertEquals([error.param, error.code, error.type], [
        "messages.0.role",
        "invalid_value",
        "invalid_request_error",
      ]);
    });
  }

  for (const version of VERSIONS) {
    Deno.test(`openai create() throws NotFoundError when Ollama ${version} does not have the model, ${way}`, async () => {
      await using served = await serveOllama(version, [stream ? "model_not_found_stream" : "model_not_found"]);
      const { error } = await failureOf(served.client, OLLAMA_MODEL, stream);
      assertInstanceOf(error, NotFoundError);
      assertEquals([error.code, error.param], ["model_not_found", "model"]);
      assertStringIncludes(error.message, `ollama pull ${OLLAMA_MODEL}`);
    });

    Deno.test(`openai create() throws BadRequestError when the prompt is too long for Ollama ${version}, ${way}`, async () => {
      const suffix = stream ? "_stream" : "";
      await using served = await serveOllama(version, [`ctx_single_too_long_notrunc${suffix}`]);
      const { error } = await failureOf(served.client, OLLAMA_MODEL, stream);
      assertInstanceOf(error, BadRequestError);
      assertEquals([error.code, error.param], ["context_length_exceeded", "messages"]);
    });

    Deno.test(`openai create() does not try again when the model of Ollama ${version} cannot be loaded, ${way}`, async () => {
      await using served = await serveOllama(version, [stream ? "load_failure_stream" : "load_failure"]);
      const { error } = await failureOf(served.connect(), OLLAMA_MODEL, stream);
      assertInstanceOf(error, InternalServerError);
      assertEquals([error.status, error.code, error.headers.get("x-should-retry")], [502, "upstream_error", "false"]);
      assertEquals(chatBodies(served).length, 1);
      assertEquals(served.errors.map(({ code }) => code), ["upstream_error"]);
    });

    Deno.test(`openai create() tries again when Ollama ${version} is busy, ${way}`, async () => {
      await using served = await serveOllama(version, ["queue_full", stream ? "chat_stream" : "chat_nonstream"]);
      const client = served.connect({ maxRetries: 1 });
      const messages = MESSAGES;
      const text = stream
        ? await client.chat.completions.stream({ model: OLLAMA_MODEL, messages }).finalContent()
        : (await client.chat.completions.create({ model: OLLAMA_MODEL, messages })).choices[0]?.message.content;
      assertEquals(text, "Hello from a scripted model. How can I help you today?");
      assertEquals(chatBodies(served).length, 2);
      assertEquals(served.requestHeaders.map((headers) => headers.get("x-stainless-retry-count")), ["0", "1"]);
    });
  }

  Deno.test(`openai create() tries as often as it is set up when the model is overloaded, ${way}`, async () => {
    let calls = 0;
    class Busy extends ChatModel {
      override predict(): string {
        if (++calls < 3) throw new OverloadedError("Cannot answer: too much to do", { retryAfter: 1 });
        return "At last";
      }
    }
    await using served = await serveModels({ busy: Busy });
    const { error } = await failureOf(served.client, "busy", stream);
    assertInstanceOf(error, InternalServerError);
    assertEquals([error.status, error.code, error.headers.get("retry-after-ms"), error.headers.get("retry-after")], [
      503,
      "overloaded",
      "1",
      "1",
    ]);
    calls = 0;
    const answer = await served.connect().chat.completions.stream({ model: "busy", messages: MESSAGES }).finalContent();
    assertEquals([answer, calls], ["At last", 3]);
  });

  Deno.test(`openai create() does not try again when the model's own code throws, ${way}`, async () => {
    let calls = 0;
    class Broken extends ChatModel {
      override predict(): string {
        calls++;
        throw new RangeError("out of words");
      }
    }
    await using served = await serveModels({ broken: Broken });
    const { error } = await failureOf(served.connect(), "broken", stream);
    assertInstanceOf(error, InternalServerError);
    assertEquals([error.status, error.code, calls], [500, "model_error", 1]);
    assertStringIncludes(error.message, "out of words");
    assertEquals(served.errors.map(({ cause }) => cause instanceof RangeError), [true]);
  });
}

for (const version of VERSIONS) {
  for (
    const [scenario, code] of [["runner_killed_midstream", "upstream_error"], [
      "server_killed_midstream",
      "upstream_lost",
    ]] as const
  ) {
    Deno.test(`openai create() throws APIError in the middle when it comes to ${scenario} of Ollama ${version}`, async () => {
      await using served = await serveOllama(version, [scenario]);
      const { error, text } = await failureOf(served.connect(), OLLAMA_MODEL, true);
      assertEquals([error.code, error.status, error.type], [code, undefined, "server_error"]);
      assertStringIncludes(text, "tic");
      assertEquals(chatBodies(served).length, 1, "nothing is tried again once something was sent");
    });

    Deno.test(`openai stream() rejects all that it promised when it comes to ${scenario} of Ollama ${version}`, async () => {
      await using served = await serveOllama(version, [scenario]);
      const stream = served.client.chat.completions.stream({ model: OLLAMA_MODEL, messages: MESSAGES });
      let text = "";
      let emitted: unknown;
      stream.on("content", (delta) => text += delta).on("error", (error) => emitted = error);
      for (const promised of [stream.finalContent(), stream.finalMessage(), stream.done()]) {
        const error = await assertRejects(() => promised);
        assertInstanceOf(error, APIError);
        assertEquals(error.code, code);
      }
      assertInstanceOf(emitted, APIError);
      assertStringIncludes(text, "tic");
    });
  }
}

Deno.test("openai create() throws APIError in the middle when the model's own code throws there", async () => {
  class Faltering extends ChatModel {
    override async *predictStream() {
      yield "one ";
      await Promise.resolve();
      yield "two ";
      throw new RangeError("out of words");
    }
  }
  await using served = await serveModels({ faltering: Faltering });
  const { error, text } = await failureOf(served.client, "faltering", true);
  assertEquals([text, error.code, error.type], ["one two ", "model_error", "server_error"]);
  assertStringIncludes(error.message, "out of words");
});

Deno.test("openai create() throws NotFoundError when the base URL is wrong", async () => {
  await using served = await serveModels({ demo: DemoChatModel });
  const { error } = await failureOf(served.connect({ baseURL: `${served.url}/v2` }), "demo", false);
  assertInstanceOf(error, NotFoundError);
  assertEquals(error.code, "unknown_url");
  assertStringIncludes(error.message, "/v1/chat/completions");
  const retrieval = await assertRejects(() => served.client.models.retrieve("gpt-5"));
  assertInstanceOf(retrieval, NotFoundError);
  assertEquals(retrieval.code, "model_not_found");
});

Deno.test("openai create() works from a page of this machine, and not from a foreign one", async () => {
  const origin = "http://localhost:5173";
  await using served = await serveModels({ demo: DemoChatModel });
  const inBrowser = (origin: string): OpenAI =>
    served.connect({ dangerouslyAllowBrowser: true, defaultHeaders: { Origin: origin } });
  const request = { model: "demo", messages: MESSAGES };
  const { response } = await inBrowser(origin).chat.completions.create(request).withResponse();
  assertEquals(response.headers.get("access-control-allow-origin"), origin);
  const exposed = response.headers.get("access-control-expose-headers")?.split(", ") ?? [];
  for (const name of ["x-request-id", "retry-after", "retry-after-ms"]) assert(exposed.includes(name));

  // What a browser asks before: whether it may send the headers that the client sets.
  const [sent] = served.requestHeaders;
  const wanted = [...sent?.keys() ?? []].filter((name) =>
    name.startsWith("x-stainless-") || name === "authorization" || name === "content-type"
  );
  assert(wanted.length > 6, `${wanted}`);
  const preflight = await fetch(`${served.url}/v1/chat/completions`, {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": wanted.join(","),
    },
  });
  await preflight.body?.cancel();
  assertEquals([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, origin]);
  assertEquals(preflight.headers.get("access-control-allow-headers"), wanted.join(","));
  assertStringIncludes(preflight.headers.get("access-control-allow-methods") ?? "", "POST");

  const error = await assertRejects(() => inBrowser("https://evil.example").chat.completions.create(request));
  assertInstanceOf(error, PermissionDeniedError);
  assertEquals(error.code, "origin_not_allowed");
});
