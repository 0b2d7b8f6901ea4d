import { assert, assertEquals } from "@std/assert";
import { ServerMetrics } from "../../../serving/metrics/mod.ts";
import { metricsHandler } from "../../../serving/_metrics_route.ts";
import { ApiKeys } from "../../../serving/access/mod.ts";
import { Admission } from "../../../serving/limits/mod.ts";
import { type App, createApp, listen } from "../../../serve.ts";
import { ask, CHAT, chat, Failing, type Guarded, guarded, Held, key, open, Parrot } from "./_guarded.ts";
import { readMetrics } from "./_prometheus.ts";

interface Measured extends Guarded {
  readonly metrics: ServerMetrics;
  readonly held: Held;
  /** What Prometheus would read: the value of a metric with these labels, 0 where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

async function start(): Promise<Measured> {
  const held = new Held();
  const admission = new Admission({ models: { held: { maxConcurrency: 1, maxQueue: 1 } } });
  const apps: App[] = [];
  const metrics = new ServerMetrics({ inFlight: () => apps[0]?.inFlight() ?? 0, load: () => admission.stats() });
  const models = { parrot: Parrot, held, down: new Failing({ code: "upstream_unreachable" }) };
  const server = await guarded(models, {
    admission,
    metrics,
    apiKeys: new ApiKeys([key("all"), key("limited", { requestsPerMinute: 1 })]),
    onRequest: (record) => metrics.count(record),
  });
  apps.push(server.app);
  return {
    ...server,
    metrics,
    held,
    async value(name, labels = {}) {
      const wanted = JSON.stringify(Object.entries(labels).sort());
      const { samples } = readMetrics(await metrics.text());
      return samples.find((sample) =>
        sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted
      )?.value ?? 0;
    },
  };
}

const as = "all";

Deno.test("ServerMetrics counts requests, their times and tokens", async () => {
  await using server = await start();
  await ask(server, CHAT, { body: chat("Hi"), as });
  await ask(server, CHAT, { body: chat("Hi", { stream: true }), as });
  await ask(server, CHAT, { body: chat("Hi", { model: "down" }), as });
  await ask(server, CHAT, { body: chat("Hi") });
  await ask(server, "/v1/models", { as });
  const { value } = server;
  const labels = { model: "parrot", route: "/chat/completions", status: "200" };
  assertEquals(await value("chat_model_requests_total", labels), 2);
  assertEquals(await value("chat_model_requests_total", { ...labels, model: "other", status: "502" }), 1);
  assertEquals(await value("chat_model_requests_total", { ...labels, model: "", status: "401" }), 1);
  assertEquals(await value("chat_model_requests_total", { ...labels, model: "", route: "/models" }), 1);
  for (const stream of ["true", "false"]) {
    assertEquals(await value("chat_model_request_duration_seconds_count", { model: "parrot", stream }), 1);
    const sum = await value("chat_model_request_duration_seconds_sum", { model: "parrot", stream });
    assert(sum > 0 && sum < 30, `${sum}`);
  }
  assertEquals(await value("chat_model_time_to_first_token_seconds_count", { model: "parrot" }), 1);
  assertEquals(await value("chat_model_tokens_total", { model: "parrot", type: "input" }), 20);
  assertEquals(await value("chat_model_tokens_total", { model: "parrot", type: "output" }), 40);
  assertEquals(await value("chat_model_upstream_errors_total", { model: "other", code: "upstream_unreachable" }), 1);
  assertEquals(await value("chat_model_requests_in_flight"), 0);
});

Deno.test("ServerMetrics tells what runs and waits, and who left; its own refusals are no errors of the upstream", async () => {
  await using server = await start();
  const { value, held } = server;
  const body = chat("Hi", { model: "held" });
  const first = ask(server, CHAT, { body, as });
  await held.began(1);
  const controller = new AbortController();
  const leaving = open(server, CHAT, { body, as, signal: controller.signal }).catch(() => {});
  while (await value("chat_model_queue_length", { model: "held" }) < 1) await new Promise((go) => setTimeout(go, 5));
  assertEquals((await ask(server, CHAT, { body, as })).status, 503);
  assertEquals(await value("chat_model_requests_running", { model: "held" }), 1);
  assertEquals(await value("chat_model_requests_in_flight"), 2);
  controller.abort();
  await leaving;
  await server.ended(2);
  assertEquals(await value("chat_model_aborts_total", { model: "other" }), 1);
  held.release();
  await first;
  for (const name of ["chat_model_requests_running", "chat_model_queue_length"]) {
    assertEquals(await value(name, { model: "held" }), 0);
  }
  assertEquals(await value("chat_model_requests_in_flight"), 0);
  const { samples } = readMetrics(await server.metrics.text());
  assertEquals(samples.filter(({ name }) => name === "chat_model_upstream_errors_total"), []);
  // What was refused says nothing of how long a model takes.
  assertEquals(await value("chat_model_request_duration_seconds_count", { model: "held", stream: "false" }), 1);
  assertEquals(await value("chat_model_request_duration_seconds_count", { model: "other", stream: "false" }), 0);
});

Deno.test("ServerMetrics has no label that a caller can make up", async () => {
  await using server = await start();
  for (let i = 0; i < 30; i++) {
    await ask(server, CHAT, { body: chat("Hi", { model: `made-up-${i}` }), as });
    await ask(server, `/v1/made-up-${i}`, { as });
    await ask(server, `/v1/responses/made-up-${i}`, { as });
    await ask(server, "/v1/models", { as, method: `MADE-UP-${i}` });
  }
  await ask(server, CHAT, { body: chat('made-up"', { model: 'made-up"\n' }), as });
  const text = await server.metrics.text();
  assertEquals(text.includes("made-up") || text.includes("MADE-UP"), false);
  assert(readMetrics(text).samples.length < 40, text);
});

Deno.test("ServerMetrics counts models beyond the two hundredth as one", async () => {
  const models = Object.fromEntries(Array.from({ length: 210 }, (_, i) => [`model-${i}`, Parrot]));
  const metrics = new ServerMetrics({ inFlight: () => 0 });
  const app = createApp(models, { onRequest: (record) => metrics.count(record) });
  for (const model of Object.keys(models)) {
    const body = JSON.stringify(chat("Hi", { model }));
    await (await app.fetch(new Request(`http://localhost${CHAT}`, { method: "POST", body }))).text();
  }
  const { samples } = readMetrics(await metrics.text());
  const totals = samples.filter(({ name }) => name === "chat_model_requests_total");
  assertEquals(totals.length, 201);
  assertEquals(totals.find(({ labels }) => labels["model"] === "other")?.value, 10);
});

Deno.test("Metrics are read at /metrics: on the server's port with a key, on their own without", async () => {
  await using server = await start();
  assertEquals((await ask(server, "/metrics")).status, 401);
  const { status, headers, text } = await ask(server, "/metrics", { as });
  assertEquals([status, headers.get("content-type")], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  assert(readMetrics(text).types.size >= 7);
  const own = await listen(metricsHandler(server.metrics), { port: 0 });
  try {
    const url = `http://127.0.0.1:${own.addr.port}`;
    const answer = await ask({ url }, "/metrics");
    assertEquals(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assertEquals(readMetrics(answer.text).types, readMetrics(text).types);
    assertEquals((await ask({ url }, "/v1/models")).status, 404);
    assertEquals((await ask({ url }, "/metrics", { method: "POST", body: "{}" })).status, 405);
    const head = await ask({ url }, "/metrics", { method: "HEAD" });
    assertEquals([head.status, head.text], [200, ""]);
  } finally {
    own.shutdown();
    await own.finished;
  }
});

Deno.test("createApp() has no route for metrics where there are none", async () => {
  await using server = await guarded({ parrot: Parrot });
  assertEquals((await ask(server, "/metrics")).status, 404);
});
