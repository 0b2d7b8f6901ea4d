import { assert, assertEquals } from "@std/assert";
import OpenAI, { InternalServerError } from "openai";
import { Admission } from "../../../serving/limits/mod.ts";
import { until } from "../_stack.ts";
import { ask, assertRefused, CHAT, chat, type Guarded, guarded, Held, open } from "./_guarded.ts";

/** A server of one model that answers so many at once. */
async function start(
  options: ConstructorParameters<typeof Admission>[0],
): Promise<Guarded & { readonly held: Held; readonly admission: Admission }> {
  const held = new Held();
  const admission = new Admission(options);
  return { ...await guarded({ held, other: new Held() }, { admission }), held, admission };
}

/** Waits until so many run and wait. */
function load(admission: Admission, running: number, queued: number): Promise<void> {
  return until(() => {
    const [lane] = admission.stats();
    return lane?.running === running && lane.queued === queued;
  }, `${running} to run and ${queued} to wait`);
}

Deno.test("createApp() has those wait that are too many, and lets them run in the order in which they came", async () => {
  const { held, admission, ...server } = await start({ maxConcurrency: 2 });
  await using _server = server;
  const answers: Promise<unknown>[] = [];
  for (let i = 0; i < 8; i++) {
    answers.push(ask(server, CHAT, { body: chat(`${i}`, { stream: i % 2 === 0 }) }));
    await load(admission, Math.min(i + 1, 2), Math.max(i - 1, 0));
  }
  assertEquals(server.app.inFlight(), 8);
  for (let i = 0; i < 8; i++) {
    held.release();
    await held.began(Math.min(i + 3, 8));
  }
  await Promise.all(answers);
  assertEquals([held.begun, held.most], [["0", "1", "2", "3", "4", "5", "6", "7"], 2]);
  await load(admission, 0, 0);
});

Deno.test("createApp() counts the default model and the same model by its name together", async () => {
  const { held, admission, ...server } = await start({ maxConcurrency: 1 });
  await using _server = server;
  const answers = [ask(server, CHAT, { body: chat("1") })];
  await held.began(1);
  answers.push(ask(server, CHAT, { body: chat("2", { model: "held" }) }));
  answers.push(ask(server, CHAT, { body: chat("3", { model: "held:latest" }) }));
  await load(admission, 1, 2);
  for (let i = 1; i <= 3; i++) {
    held.release();
    await held.began(Math.min(i + 1, 3));
  }
  await Promise.all(answers);
  assertEquals(held.most, 1);
});

for (const stream of [false, true]) {
  Deno.test(`createApp() gives a place on when the client leaves that has it, stream: ${stream}`, async () => {
    const { held, admission, ...server } = await start({ maxConcurrency: 1 });
    await using _server = server;
    const controller = new AbortController();
    const leaving = open(server, CHAT, { body: chat("1", { stream }), signal: controller.signal })
      .then((response) => response.text()).catch(() => "left");
    await held.began(1);
    const next = ask(server, CHAT, { body: chat("2") });
    await load(admission, 1, 1);
    controller.abort();
    assertEquals(await leaving, "left");
    await held.began(2);
    held.release();
    held.release();
    assertEquals((await next).json.choices[0].message.content, "2");
    assertEquals((await server.ended(2)).map(({ outcome }) => outcome), ["cancelled", "completed"]);
  });

  Deno.test(`createApp() gives up a client's place in the queue when it leaves, stream: ${stream}`, async () => {
    const { held, admission, ...server } = await start({ maxConcurrency: 1, maxQueue: 2 });
    await using _server = server;
    const first = ask(server, CHAT, { body: chat("1") });
    await held.began(1);
    const controller = new AbortController();
    const leaving = open(server, CHAT, { body: chat("2", { stream }), signal: controller.signal }).catch(() => "left");
    await load(admission, 1, 1);
    const third = ask(server, CHAT, { body: chat("3") });
    await load(admission, 1, 2);
    controller.abort();
    assertEquals(await leaving, "left");
    await load(admission, 1, 1);
    held.release();
    await held.began(2);
    held.release();
    await Promise.all([first, third]);
    // The model never heard of it.
    assertEquals(held.begun, ["1", "3"]);
    const left = server.records.filter(({ outcome }) => outcome === "cancelled");
    assertEquals(left.map(({ status, asked, model }) => [status, asked, model]), [[499, false, "held"]]);
  });
}

Deno.test("createApp() answers 503 with the time to come back when the queue is full", async () => {
  const { held, admission, ...server } = await start({ maxConcurrency: 1, maxQueue: 1 });
  await using _server = server;
  const answers = [ask(server, CHAT, { body: chat("1") })];
  await held.began(1);
  answers.push(ask(server, CHAT, { body: chat("2") }));
  await load(admission, 1, 1);
  for (const stream of [false, true]) {
    const refused = await ask(server, CHAT, { body: chat("3", { stream }) });
    assertRefused(refused, 503, "overloaded");
    const milliseconds = Number(refused.headers.get("retry-after-ms"));
    assert(milliseconds >= 100 && milliseconds <= 59_000, `${milliseconds}`);
    assertEquals(refused.headers.get("retry-after"), `${Math.ceil(milliseconds / 1000)}`);
  }
  const [record] = server.records;
  assertEquals([record?.status, record?.outcome, record?.errorCode, record?.model, record?.asked], [
    503,
    "failed",
    "overloaded",
    "held",
    false,
  ]);
  // Told by the record alone: with a stack for each, a log would not stand it.
  assertEquals(server.errors, []);
  // Another model has a queue of its own.
  const controller = new AbortController();
  const other = open(server, CHAT, {
    body: chat("4", { model: "other", stream: true }),
    signal: controller.signal,
  });
  assertEquals((await other).status, 200);
  controller.abort();
  await (await other).body?.cancel().catch(() => {});
  held.release();
  await held.began(2);
  held.release();
  await Promise.all(answers);
});

Deno.test("createApp() answers 503 to who has waited too long", async () => {
  const { held, ...server } = await start({ maxConcurrency: 1, queueTimeout: 50 });
  await using _server = server;
  const first = ask(server, CHAT, { body: chat("1") });
  await held.began(1);
  for (const stream of [false, true]) {
    const refused = await ask(server, CHAT, { body: chat("2", { stream }) });
    assertRefused(refused, 503, "overloaded");
    assert(refused.headers.has("retry-after-ms"));
  }
  held.release();
  await first;
  assertEquals(held.begun, ["1"]);
});

Deno.test("openai's client comes back when it is told to, and is answered", async () => {
  const { held, ...server } = await start({ maxConcurrency: 1, maxQueue: 0 });
  await using _server = server;
  const first = ask(server, CHAT, { body: chat("1") });
  await held.began(1);
  const client = new OpenAI({ apiKey: "none", baseURL: `${server.url}/v1`, maxRetries: 5 });
  const messages = [{ role: "user" as const, content: "2" }];
  const answer = client.chat.completions.create({ model: "held", messages });
  const [refused] = await server.ended(1);
  assertEquals([refused?.status, refused?.errorCode], [503, "overloaded"]);
  held.release();
  await first;
  await held.began(2);
  held.release();
  assertEquals((await answer).choices[0]?.message.content, "2");
  // Without tries left, it says what it is.
  const third = ask(server, CHAT, { body: chat("3") });
  await held.began(3);
  const error = await client.chat.completions.create({ model: "held", messages }, { maxRetries: 0 })
    .then(() => undefined, (error) => error);
  assert(error instanceof InternalServerError);
  assertEquals([error.status, error.code], [503, "overloaded"]);
  held.release();
  await third;
});

Deno.test("createApp() has nothing in flight after a storm of clients that leave", async () => {
  const { held, admission, ...server } = await start({ maxConcurrency: 5, maxQueue: 40 });
  await using _server = server;
  const clients = Array.from({ length: 150 }, async (_, i) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), (i * 7) % 300);
    try {
      const response = await open(server, i % 3 === 0 ? "/v1/responses" : CHAT, {
        body: i % 3 === 0 ? { input: `${i}`, stream: i % 2 === 0 } : chat(`${i}`, { stream: i % 2 === 0 }),
        signal: controller.signal,
      });
      await response.text();
      return response.status;
    } catch {
      return 0;
    }
  });
  const statuses = await Promise.all(clients);
  assertEquals(statuses.filter((status) => status !== 0 && status !== 503), []);
  await until(() => server.app.inFlight() === 0 && held.running === 0, "all to be over");
  assertEquals(admission.stats().map(({ running, queued }) => [running, queued]), [[0, 0]]);
  assert(held.most <= 5, `${held.most}`);
  const next = ask(server, CHAT, { body: chat("Hi") });
  await held.began(held.begun.length + 1);
  // All that were left wait in front of it.
  for (let i = held.begun.length; i > 0; i--) held.release();
  assertEquals((await next).status, 200);
  assertEquals(server.errors, []);
});
