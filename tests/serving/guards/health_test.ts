// deno-lint-ignore-file no-console -- what is written to it is what is tested
import { assertEquals } from "@std/assert";
import { ChatModel, loadChatModel } from "../../../mod.ts";
import type { ModelDirectory } from "../../../serve.ts";
import { Readiness } from "../../../serving/_health.ts";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { json, startFakeUpstream } from "../../support/fake_upstream.ts";
import { ask, CHAT, chat, guarded, Held, open, Parrot } from "./_guarded.ts";

/** Takes down what would be written to the console. */
async function silently<T>(run: (lines: string[]) => Promise<T>): Promise<T> {
  const { error } = console;
  const lines: string[] = [];
  console.error = (...parts: unknown[]) => void lines.push(parts.join(" "));
  try {
    return await run(lines);
  } finally {
    console.error = error;
  }
}

Deno.test("createApp() is live and ready, and says no more", async () => {
  await using server = await guarded({ parrot: Parrot });
  const live = await ask(server, "/health/live");
  const ready = await ask(server, "/health/ready");
  assertEquals([live.status, live.json, ready.status, ready.json], [200, { status: "live" }, 200, { status: "ready" }]);
  assertEquals((await ask(server, "/health/ready", { method: "HEAD" })).status, 200);
});

Deno.test("createApp() is not ready when what is behind its models is down, but live; the log says why, once", async () => {
  await silently(async (lines) => {
    await using upstream = await startFakeUpstream(({ path }) =>
      path === "/api/version" ? json({ error: "down" }, { status: 500 }) : json({ error: "down" }, { status: 503 })
    );
    const model = new OllamaChatModel({ model: "plain", client: new OllamaClient({ host: upstream.url }) });
    await using server = await guarded({ plain: await loadChatModel(model) });
    // A model that no one has asked for yet is not loaded for this.
    await ask(server, CHAT, { body: chat("Hi", { model: "plain" }) });
    for (let i = 0; i < 3; i++) {
      const { status, json, text } = await ask(server, "/health/ready");
      assertEquals([status, json], [503, { status: "unavailable" }]);
      assertEquals(text.includes(upstream.url), false);
    }
    assertEquals((await ask(server, "/health/live")).status, 200);
    // Never a completion.
    const probes = upstream.requests.filter(({ path }) => path !== "/api/chat");
    assertEquals(new Set(probes.map(({ method, path }) => `${method} ${path}`)), new Set(["GET /api/version"]));
    assertEquals(lines.length, 1);
    assertEquals(lines[0]?.startsWith("No model is available: "), true, lines[0]);
  });
});

/** Says whether it is well, as it is told. */
class Checked implements ModelDirectory {
  isWell = true;
  checks = 0;
  atOnce = 0;
  most = 0;
  /** What a check waits for. */
  gate: Promise<void> = Promise.resolve();

  list(): [] {
    return [];
  }

  find(): undefined {}

  async checkHealth(): Promise<void> {
    this.checks++;
    this.most = Math.max(this.most, ++this.atOnce);
    await this.gate;
    this.atOnce--;
    if (!this.isWell) throw new Error("It is not well");
  }
}

Deno.test("createApp() asks what is behind its models once for many probes", async () => {
  const directory = new Checked();
  const gate = Promise.withResolvers<void>();
  directory.gate = gate.promise;
  await using server = await guarded(directory);
  const probes = Array.from({ length: 20 }, () => ask(server, "/health/ready"));
  while (directory.checks === 0) await new Promise((go) => setTimeout(go, 5));
  gate.resolve();
  assertEquals(new Set((await Promise.all(probes)).map(({ status }) => status)), new Set([200]));
  for (let i = 0; i < 20; i++) await ask(server, "/health/ready");
  assertEquals([directory.checks, directory.most], [1, 1]);
});

Deno.test("Readiness is back when the models are, and tells of each change once", async () => {
  const changes: unknown[] = [];
  const directory = new Checked();
  let now = 0;
  const { now: realNow } = performance;
  performance.now = () => now;
  try {
    const readiness = new Readiness({ directory, onChange: (problem) => changes.push(problem?.reason ?? "back") });
    const problems: unknown[] = [];
    for (const isWell of [true, false, false, true, true]) {
      directory.isWell = isWell;
      problems.push(await readiness.problem());
      // What was found holds for a while.
      directory.isWell = !isWell;
      problems.push(await readiness.problem());
      now += 5_000;
    }
    assertEquals(problems, [
      ...[undefined, undefined],
      ...["unavailable", "unavailable", "unavailable", "unavailable"],
      ...[undefined, undefined, undefined, undefined],
    ]);
    assertEquals(changes.map(String), ["Error: It is not well", "back"]);
    assertEquals(directory.checks, 5);
  } finally {
    performance.now = realNow;
  }
});

Deno.test("createApp() is not ready while it drains, and answers all the same", async () => {
  const held = new Held();
  const directory = new Checked();
  await using server = await guarded({ held });
  const running = ask(server, CHAT, { body: chat("1") });
  await held.began(1);
  server.app.drain();
  const { status, json } = await ask(server, "/health/ready");
  assertEquals([status, json], [503, { status: "draining" }]);
  assertEquals((await ask(server, "/health/live")).status, 200);
  const late = ask(server, CHAT, { body: chat("2") });
  await held.began(2);
  held.release();
  held.release();
  assertEquals([(await running).status, (await late).status], [200, 200]);
  // No longer asked.
  assertEquals(directory.checks, 0);
});

Deno.test("createApp() is ready when one of several models is well", async () => {
  class Sick extends ChatModel {
    override predict(): string {
      return "Hi";
    }

    override checkHealth(): Promise<void> {
      return Promise.reject(new Error("It is not well"));
    }
  }
  await silently(async () => {
    await using server = await guarded({ sick: await loadChatModel(Sick), parrot: await loadChatModel(Parrot) });
    await ask(server, CHAT, { body: chat("Hi", { model: "sick" }) });
    await ask(server, CHAT, { body: chat("Hi", { model: "parrot" }) });
    assertEquals((await ask(server, "/health/ready")).status, 200);
    await using alone = await guarded({ sick: await loadChatModel(Sick) });
    await (await open(alone, CHAT, { body: chat("Hi") })).body?.cancel();
    assertEquals((await ask(alone, "/health/ready")).status, 503);
  });
});
