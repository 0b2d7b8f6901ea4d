import { assert, assertEquals, assertMatch } from "@std/assert";
import OpenAI, { RateLimitError } from "openai";
import { ChatModel, type PredictPart } from "../../../mod.ts";
import { type ApiKey, ApiKeys } from "../../../serving/access/mod.ts";
import { Admission } from "../../../serving/limits/mod.ts";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { json, startFakeUpstream } from "../../support/fake_upstream.ts";
import type { AppModels } from "../../../serve.ts";
import {
  type Answer,
  ask,
  assertRefused,
  CHAT,
  chat,
  Doubler,
  Failing,
  type Guarded,
  guarded,
  Held,
  key,
  open,
  Parrot,
  SECRETS,
} from "./_guarded.ts";

/** A server with a key of the given limits. */
function start(limits: Partial<ApiKey>, models: AppModels = { parrot: Parrot, doubler: Doubler }): Promise<Guarded> {
  return guarded(models, { apiKeys: new ApiKeys([key("limited", limits)]), admission: new Admission() });
}

const as = "limited";

/** Tokens and requests that are left, as an answer says. */
function left({ headers }: Pick<Answer, "headers">): (number | undefined)[] {
  return ["requests", "tokens"].map((kind) => {
    const value = headers.get(`x-ratelimit-remaining-${kind}`);
    return value === null ? undefined : Number(value);
  });
}

/** What is left now: a request that is refused by itself counts for nothing. */
async function standing(server: Guarded): Promise<(number | undefined)[]> {
  const answer = await ask(server, CHAT, { body: chat("Hi", { max_tokens: 1_000_000 }), as });
  assertRefused(answer, 400, "request_over_limit");
  return left(answer);
}

/** Prompt and answer, as the parrot counts them. */
const REAL = 30;

Deno.test("createApp() tells limits in headers, of answers and of refusals", async () => {
  await using server = await start({ requestsPerMinute: 2, tokensPerMinute: 10_000 });
  const body = chat("Hi", { max_tokens: 100 });
  const first = await ask(server, CHAT, { body, as });
  const { headers } = first;
  assertEquals([headers.get("x-ratelimit-limit-requests"), headers.get("x-ratelimit-limit-tokens")], ["2", "10000"]);
  // The estimate: 4 for the message, a half for its text, 100 for the answer.
  assertEquals(left(first), [1, 10_000 - 105]);
  assertEquals(headers.get("x-ratelimit-reset-requests"), "1m0s");
  const second = await ask(server, CHAT, { body: { ...body, stream: true }, as });
  assertEquals([second.status, ...left(second)], [200, 0, 10_000 - REAL - 105]);
  for (const path of [CHAT, "/v1/responses", "/invocations"]) {
    const asked = path === "/v1/responses" ? { input: "Hi", max_output_tokens: 100 } : body;
    const refused = await ask(server, path, { body: asked, as });
    assertEquals([refused.status, ...left(refused)], [429, 0, 10_000 - 2 * REAL], refused.text);
    const { headers } = refused;
    assertMatch(headers.get("retry-after") ?? "", /^\d+$/);
    assertMatch(headers.get("retry-after-ms") ?? "", /^\d+$/);
    assertEquals(headers.get("x-should-retry"), null);
    if (path !== "/invocations") assertEquals(refused.json.error.code, "rate_limit_exceeded");
    if (path === CHAT) assertRefused(refused, 429, "rate_limit_exceeded");
  }
  // A page of a browser may read them.
  const origin = "http://localhost:3000";
  const exposed = (await ask(server, CHAT, { body, as, headers: { origin } })).headers.get(
    "access-control-expose-headers",
  );
  assert(exposed?.includes("x-ratelimit-remaining-tokens") && exposed.includes("retry-after-ms"), `${exposed}`);
});

Deno.test("createApp() counts what was really used, however the answer comes", async () => {
  await using server = await start({ tokensPerMinute: 100_000 });
  let used = 0;
  const check = async (path: string, body: unknown, tokens: number) => {
    const answer = await ask(server, path, { body, as });
    assertEquals(answer.status, 200, answer.text);
    used += tokens;
    assertEquals([path, ...await standing(server)], [path, undefined, 100_000 - used]);
  };
  await check(CHAT, chat("Hi"), REAL);
  await check(CHAT, chat("Hi", { stream: true }), REAL);
  await check(CHAT, chat("Hi", { stream: true, stream_options: { include_usage: true } }), REAL);
  await check("/v1/responses", { input: "Hi" }, REAL);
  await check("/v1/responses", { input: "Hi", stream: true }, REAL);
  await check("/v1/completions", { prompt: "Hi" }, REAL);
  await check("/v1/completions", { prompt: ["Hi", "Ho", "Ha"] }, 3 * REAL);
  await check("/v1/completions", { prompt: ["Hi", "Ho"], stream: true }, 2 * REAL);
  await check("/invocations", chat("Hi"), REAL);
  await check("/invocations", { inputs: [chat("Hi")] }, REAL);
  const { json } = await ask(server, "/v1/embeddings", { body: { input: ["Hello", "there"] }, as });
  used += json.usage.total_tokens;
  assertEquals(await standing(server), [undefined, 100_000 - used]);
});

Deno.test("createApp() counts what it estimates where a model does not count", async () => {
  class Wordy extends ChatModel {
    override *predictStream(): Generator<string> {
      for (let i = 0; i < 10; i++) yield "four";
    }
  }
  await using server = await start({ tokensPerMinute: 100_000 }, { wordy: Wordy });
  await ask(server, CHAT, { body: chat("Hi"), as });
  const [, afterWhole] = await standing(server);
  await ask(server, CHAT, { body: chat("Hi", { stream: true }), as });
  const [, afterStream] = await standing(server);
  // 5 for the prompt, and ten pieces of four letters.
  assertEquals([afterWhole, afterStream], [100_000 - 15, 100_000 - 30]);
  assertEquals(server.records.map(({ tokens }) => tokens).filter(Boolean), [
    { promptTokens: 5, completionTokens: 10, estimated: true },
    { promptTokens: 5, completionTokens: 10, estimated: true },
  ]);
});

Deno.test("createApp() counts the requests of custom models", async () => {
  await using server = await start({ requestsPerMinute: 3 });
  const body = { model: "doubler", inputs: "ab" };
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await ask(server, "/invocations", { body, as })).status);
  assertEquals(statuses, [200, 200, 200, 429]);
});

Deno.test("createApp() counts what came before the client left a stream", async () => {
  const held = new Held();
  await using server = await start({ tokensPerMinute: 10_000 }, { held });
  const controller = new AbortController();
  const response = await open(server, CHAT, {
    body: chat("Hi", { stream: true, max_tokens: 1000 }),
    as,
    signal: controller.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let received = "";
  while (!received.includes("word ")) received += (await reader?.read())?.value ?? "";
  controller.abort();
  await reader?.read().catch(() => {});
  const [record] = await server.ended(1);
  assertEquals([record?.outcome, record?.tokens], [
    "cancelled",
    { promptTokens: 5, completionTokens: 2, estimated: true },
  ]);
  assertEquals(await standing(server), [undefined, 10_000 - 7]);
});

for (const stream of [false, true]) {
  Deno.test(`createApp() counts the estimate when the client leaves before the first word, stream: ${stream}`, async () => {
    const begun = Promise.withResolvers<void>();
    class Silent extends ChatModel {
      override async *predictStream({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<PredictPart> {
        begun.resolve();
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        yield "Never";
      }
    }
    await using server = await start({ requestsPerMinute: 10, tokensPerMinute: 10_000 }, { silent: Silent });
    const controller = new AbortController();
    const body = chat("Hi", { stream, max_tokens: 1000 });
    const asking = open(server, CHAT, { body, as, signal: controller.signal }).catch(() => {});
    await begun.promise;
    controller.abort();
    await asking;
    const [record] = await server.ended(1);
    assertEquals([record?.outcome, record?.status], ["cancelled", 499]);
    assertEquals(await standing(server), [9, 10_000 - 1005]);
  });
}

/** Requests that no model works on. */
const REFUNDED: Readonly<
  Record<string, { readonly models: AppModels; readonly body: unknown; readonly status: number }>
> = {
  "there is no such model": { models: { parrot: Parrot }, body: chat("Hi", { model: "none" }), status: 404 },
  "the body is wrong": { models: { parrot: Parrot }, body: chat("Hi", { temperature: "hot" }), status: 400 },
  "the model's adapter refuses it": {
    models: { failing: new Failing({ code: "unsupported_value" }) },
    body: chat("Hi"),
    status: 400,
  },
  "the upstream is down": {
    models: { failing: new Failing({ code: "upstream_unreachable" }) },
    body: chat("Hi"),
    status: 502,
  },
  "the upstream is down, for a stream": {
    models: { failing: new Failing({ code: "upstream_unreachable" }) },
    body: chat("Hi", { stream: true }),
    status: 502,
  },
  "the model is a custom one": { models: { doubler: Doubler }, body: chat("Hi"), status: 400 },
};

for (const [why, { models, body, status }] of Object.entries(REFUNDED)) {
  Deno.test(`createApp() counts nothing when ${why}`, async () => {
    await using server = await start({ requestsPerMinute: 5, tokensPerMinute: 10_000 }, { ...models, last: Parrot });
    for (let i = 0; i < 6; i++) assertEquals((await ask(server, CHAT, { body, as })).status, status);
    const { headers } = await ask(server, CHAT, { body: chat("Hi", { model: "last", max_tokens: 100 }), as });
    assertEquals(left({ headers }), [4, 10_000 - 105]);
  });
}

Deno.test("createApp() counts nothing when Ollama refuses the request or is not there", async () => {
  await using upstream = await startFakeUpstream(({ body }) =>
    json({ error: "bad" }, { status: body.includes("down") ? 503 : 400 })
  );
  const model = new OllamaChatModel({ model: "plain", client: new OllamaClient({ host: upstream.url }) });
  await using server = await start({ requestsPerMinute: 5 }, { plain: model, last: Parrot });
  for (const content of ["down", "bad", "down", "bad"]) {
    for (const stream of [false, true]) {
      const { status } = await ask(server, CHAT, { body: chat(content, { stream }), as });
      assertEquals(status, content === "bad" ? 400 : 503);
    }
  }
  assertEquals(left(await ask(server, CHAT, { body: chat("Hi", { model: "last" }), as })), [4, undefined]);
});

Deno.test("createApp() refuses for good what is more than the whole limit, and openai's client does not try again", async () => {
  await using server = await start({ tokensPerMinute: 100 });
  const answer = await ask(server, CHAT, { body: chat("Hi", { max_tokens: 200 }), as });
  assertRefused(answer, 400, "request_over_limit");
  assertEquals(answer.headers.get("x-should-retry"), "false");
  assertEquals(left(answer), [undefined, 100]);
  const client = new OpenAI({ apiKey: SECRETS.limited, baseURL: `${server.url}/v1` });
  const asking = client.chat.completions.create({
    model: "parrot",
    max_tokens: 200,
    messages: [{ role: "user", content: "Hi" }],
  });
  const error = await asking.then(() => undefined, (error) => error);
  assertEquals([error.status, error.code], [400, "request_over_limit"]);
  assertEquals(server.records.length, 2);
});

Deno.test("openai's client throws RateLimitError when a limit is used up", async () => {
  await using server = await start({ requestsPerMinute: 1 });
  const client = new OpenAI({ apiKey: SECRETS.limited, baseURL: `${server.url}/v1`, maxRetries: 0 });
  const create = () => client.chat.completions.create({ model: "parrot", messages: [{ role: "user", content: "Hi" }] });
  await create();
  const error = await create().then(() => undefined, (error) => error);
  assert(error instanceof RateLimitError);
  assertEquals([error.status, error.code, error.type], [429, "rate_limit_exceeded", "rate_limit_error"]);
  assertEquals(error.headers.get("x-ratelimit-limit-requests"), "1");
});

Deno.test("createApp() never grants more than the limit in a burst of a hundred, and hardly less", async () => {
  const limit = 40;
  await using server = await start({ requestsPerMinute: limit });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => ask(server, CHAT, { body: chat("Hi", { stream: i % 2 === 0 }), as })),
  );
  const granted = answers.filter(({ status }) => status === 200).length;
  assertEquals(answers.filter(({ status }) => status === 429).length, 100 - granted);
  assertEquals(granted, limit);
});

Deno.test("createApp() never has more tokens reserved than the limit in a burst of a hundred, and uses it up", async () => {
  const held = new Held();
  await using server = await start({ tokensPerMinute: 10_500 }, { held });
  // 105 each: a hundred of them fit.
  const all = Array.from(
    { length: 150 },
    () => ask(server, CHAT, { body: chat("Hi", { max_tokens: 100 }), as }).then(({ status }) => status),
  );
  await held.began(100);
  const refused = await Promise.all(
    Array.from({ length: 20 }, () => ask(server, CHAT, { body: chat("Hi", { max_tokens: 100 }), as })),
  );
  assertEquals(new Set(refused.map(({ status }) => status)), new Set([429]));
  assertEquals(held.begun.length, 100);
  for (let i = 0; i < 100; i++) held.release();
  const statuses = await Promise.all(all);
  assertEquals(statuses.filter((status) => status === 200).length, 100);
  assertEquals(statuses.filter((status) => status === 429).length, 50);
});

Deno.test("createApp() limits what a key has running at once, over all models", async () => {
  const held = new Held();
  const other = new Held();
  await using server = await start({ maxConcurrency: 2 }, { held, other });
  const running = [
    ask(server, CHAT, { body: chat("1"), as }),
    ask(server, CHAT, { body: chat("2", { model: "other", stream: true }), as }),
  ];
  await Promise.all([held.began(1), other.began(1)]);
  const refused = await ask(server, CHAT, { body: chat("3"), as });
  assertRefused(refused, 429, "rate_limit_exceeded");
  held.release();
  await running[0];
  const next = ask(server, CHAT, { body: chat("4"), as });
  await held.began(2);
  held.release();
  other.release();
  assertEquals((await Promise.all([...running, next])).map(({ status }) => status), [200, 200, 200]);
});
