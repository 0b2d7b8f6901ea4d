import { assert, assertEquals } from "@std/assert";
import { ChatModel, ChatModelError, type PredictPart } from "../../../mod.ts";
import { ApiKeys } from "../../../serving/access/mod.ts";
import { Admission } from "../../../serving/limits/mod.ts";
import type { RequestRecord } from "../../../serving/request_record.ts";
import { ask, CHAT, chat, Failing, guarded, Held, key, open, Parrot } from "./_guarded.ts";

/** A record without what differs each time, whose times make sense. */
function told(record: RequestRecord | undefined): unknown {
  assert(record !== undefined);
  const { requestId, duration, timeToFirstToken, ...rest } = record;
  assert(/^req_[\w-]{10,}$/.test(requestId), requestId);
  assert(duration > 0 && duration < 60_000, `${duration}`);
  if (timeToFirstToken !== undefined) assert(timeToFirstToken > 0 && timeToFirstToken <= duration);
  return { ...rest, hasFirstToken: timeToFirstToken !== undefined };
}

/** Says a word, and fails. */
class Breaking extends ChatModel {
  override *predictStream(): Generator<PredictPart> {
    yield "Word";
    throw new ChatModelError("Cannot go on: this is a test", { code: "upstream_lost" });
  }
}

const MODELS = { parrot: Parrot, breaking: Breaking, down: new Failing({ code: "upstream_unreachable" }) };
const apiKeys = new ApiKeys([
  key("all"),
  key("parrot", { models: ["parrot"] }),
  key("limited", { requestsPerMinute: 1 }),
]);

for (const stream of [false, true]) {
  const common = { method: "POST", route: "/chat/completions", keyName: "all", stream: false, hasFirstToken: false };
  const asked = { ...common, stream, hasFirstToken: stream };
  const tokens = { promptTokens: 10, completionTokens: 20, estimated: false };

  Deno.test(`createApp() tells of a request that was answered, stream: ${stream}`, async () => {
    await using server = await guarded(MODELS, { apiKeys, admission: new Admission() });
    const answer = await ask(server, CHAT, { body: chat("Hi", { stream }), as: "all" });
    const [record] = await server.ended(1);
    assertEquals(told(record), { ...asked, status: 200, outcome: "completed", model: "parrot", asked: true, tokens });
    assertEquals(record?.requestId, answer.headers.get("x-request-id"));
    assertEquals(server.app.inFlight(), 0);
  });

  Deno.test(`createApp() tells of a request that failed, stream: ${stream}`, async () => {
    await using server = await guarded(MODELS, { apiKeys });
    await ask(server, CHAT, { body: chat("Hi", { stream, model: "down" }), as: "all" });
    await ask(server, CHAT, { body: chat("Hi", { stream, model: "breaking" }), as: "all" });
    const [down, breaking] = await server.ended(2);
    const failed = { outcome: "failed", asked: true, errorStatus: 502 };
    assertEquals(told(down), {
      ...asked,
      ...failed,
      hasFirstToken: false,
      status: 502,
      errorCode: "upstream_unreachable",
      model: "down",
    });
    assertEquals(told(breaking), {
      ...asked,
      ...failed,
      // A stream begins well.
      status: stream ? 200 : 502,
      errorCode: "upstream_lost",
      model: "breaking",
      tokens: { promptTokens: 5, completionTokens: 1, estimated: true },
    });
  });

  Deno.test(`createApp() tells of a request whose client left, stream: ${stream}`, async () => {
    const held = new Held();
    await using server = await guarded({ held }, { apiKeys });
    const controller = new AbortController();
    const asking = open(server, CHAT, { body: chat("Hi", { stream }), as: "all", signal: controller.signal })
      .then((response) => response.text()).catch(() => {});
    await held.began(1);
    // Until the first word is there.
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.abort();
    await asking;
    const [record] = await server.ended(1);
    assertEquals(told(record), {
      ...asked,
      status: stream ? 200 : 499,
      outcome: "cancelled",
      ...(!stream && { errorCode: "cancelled", errorStatus: 499 }),
      model: "held",
      asked: true,
      ...(stream && { tokens: { promptTokens: 5, completionTokens: 2, estimated: true } }),
    });
    assertEquals(server.app.inFlight(), 0);
  });

  Deno.test(`createApp() tells of a request that was refused, stream: ${stream}`, async () => {
    await using server = await guarded(MODELS, { apiKeys, admission: new Admission() });
    const refused = { outcome: "completed", asked: false };
    const body = chat("Hi", { stream });
    await ask(server, CHAT, { body });
    await ask(server, CHAT, { body: { ...body, model: "down" }, as: "parrot" });
    await ask(server, CHAT, { body: { ...body, model: "none" }, as: "all" });
    await ask(server, CHAT, { body: { stream }, as: "all" });
    await ask(server, CHAT, { body, as: "limited" });
    await ask(server, CHAT, { body, as: "limited" });
    const [unknown, forbidden, missing, wrong, _first, limited] = (await server.ended(6)).map(told);
    const { keyName: _, ...nameless } = common;
    assertEquals(unknown, { ...nameless, ...refused, status: 401, errorCode: "invalid_api_key", errorStatus: 401 });
    assertEquals(forbidden, {
      ...common,
      ...refused,
      keyName: "parrot",
      status: 403,
      errorCode: "model_not_allowed",
      errorStatus: 403,
    });
    assertEquals(missing, { ...common, ...refused, status: 404, errorCode: "model_not_found", errorStatus: 404 });
    assertEquals(wrong, { ...common, ...refused, status: 400, errorCode: "invalid_value", errorStatus: 400 });
    assertEquals(limited, {
      ...common,
      ...refused,
      keyName: "limited",
      model: "parrot",
      status: 429,
      errorCode: "rate_limit_exceeded",
      errorStatus: 429,
    });
  });
}

Deno.test("createApp() tells of a client that leaves just as its stream begins", async () => {
  const held = new Held();
  await using server = await guarded({ held });
  for (let i = 1; i <= 20; i++) {
    const response = await open(server, CHAT, { body: chat("Hi", { stream: true }) });
    await response.body?.cancel();
    await server.ended(i);
  }
  assertEquals(server.records.map(({ outcome, status }) => [outcome, status]), Array(20).fill(["cancelled", 200]));
  assertEquals([server.app.inFlight(), held.running], [0, 0]);
});

Deno.test("createApp() tells of a client that leaves several prompts, and what came before", async () => {
  const held = new Held();
  await using server = await guarded({ held });
  for (let i = 1; i <= 3; i++) {
    const response = await open(server, "/v1/completions", { body: { prompt: ["a", "b"], stream: true } });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let received = "";
    while (received.split("word ").length < 3) received += (await reader?.read())?.value ?? "";
    await reader?.cancel();
    const record = (await server.ended(i)).at(-1);
    assertEquals([record?.outcome, record?.tokens], [
      "cancelled",
      { promptTokens: 10, completionTokens: 4, estimated: true },
    ]);
  }
});

Deno.test("createApp() tells of requests of all routes, without what is in their paths", async () => {
  await using server = await guarded({ parrot: Parrot });
  const paths = [
    "/v1/models",
    "/models/parrot",
    "/v1/responses/resp_secret",
    "/ping",
    "/health/ready",
    "/nowhere/secret",
  ];
  for (const path of paths) await ask(server, path);
  await ask(server, "/v1/models", { method: "HEAD" });
  await ask(server, "/v1/models", { method: "OPTIONS" });
  await ask(server, "/v1/models", { method: "PUT" });
  assertEquals(server.records.map(({ method, route, status }) => [method, route, status]), [
    ["GET", "/models", 200],
    ["GET", "/models/:id", 200],
    ["GET", "/responses/:id", 404],
    ["GET", "/ping", 200],
    ["GET", "/health/ready", 200],
    ["GET", undefined, 404],
    ["HEAD", "/models", 200],
    ["OPTIONS", "/models", 204],
    ["PUT", "/models", 405],
  ]);
  assertEquals(server.app.inFlight(), 0);
});

Deno.test("createApp() tells what several prompts have cost together, once", async () => {
  await using server = await guarded({ parrot: Parrot });
  const body = { prompt: ["a", "b", "c"] };
  await ask(server, "/v1/completions", { body });
  await ask(server, "/v1/completions", { body: { ...body, stream: true } });
  const tokens = { promptTokens: 30, completionTokens: 60, estimated: false };
  assertEquals(server.records.map((record) => record.tokens), [tokens, tokens]);
});
