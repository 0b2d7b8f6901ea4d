/** What becomes of a model's work when OpenAI's own client leaves. */
import { APIUserAbortError, type OpenAI } from "openai";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { serveModels } from "./_served.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { OllamaChatModel, OllamaClient } from "../../adapters/ollama/mod.ts";
import type { ChatMessage, ChatParams, ModelContext } from "../../mod.ts";
import { type Answer, ndjson, startFakeUpstream } from "../support/fake_upstream.ts";

/** Long enough not to come in one read, as most real requests. */
const REQUEST = { model: "slow", messages: [{ role: "user" as const, content: "Hi there. ".repeat(500) }] };

/** A way to leave: resolves when the client has left. */
interface Leaving {
  readonly name: string;
  /** Whether something of the answer is there when the client leaves. */
  readonly begun: boolean;
  /** Asks and leaves; before the first token when `asked` resolves. */
  leave(client: OpenAI, asked: Promise<void>): Promise<void>;
}

const LEAVINGS: readonly Leaving[] = [
  {
    name: "a loop over the stream is left",
    begun: true,
    async leave(client) {
      for await (const chunk of await client.chat.completions.create({ ...REQUEST, stream: true })) {
        if (chunk.choices[0]?.delta.content) break;
      }
    },
  },
  {
    name: "stream() is aborted in the middle",
    begun: true,
    async leave(client) {
      const stream = client.chat.completions.stream(REQUEST);
      stream.on("content", () => stream.abort());
      assertInstanceOf(await assertRejects(() => stream.finalContent()), APIUserAbortError);
      assert(stream.aborted);
    },
  },
  {
    name: "stream() is aborted before the first token",
    begun: false,
    async leave(client, asked) {
      const stream = client.chat.completions.stream(REQUEST);
      const aborted = assertRejects(() => stream.finalContent());
      await asked;
      stream.abort();
      assertInstanceOf(await aborted, APIUserAbortError);
    },
  },
  {
    name: "the signal of create() fires",
    begun: false,
    async leave(client, asked) {
      const controller = new AbortController();
      const { signal } = controller;
      const aborted = assertRejects(() => client.chat.completions.create(REQUEST, { signal }));
      await asked;
      controller.abort();
      assertInstanceOf(await aborted, APIUserAbortError);
    },
  },
];

/** Tells when it is asked, and when its signal fires. */
class WatchedDemo extends DemoChatModel {
  readonly asked = Promise.withResolvers<void>();
  readonly stopped = Promise.withResolvers<void>();

  override predict(context: ModelContext, messages: readonly ChatMessage[], params: ChatParams) {
    this.#watch(context);
    return super.predict(context, messages, params);
  }

  override predictStream(context: ModelContext, messages: readonly ChatMessage[], params: ChatParams) {
    this.#watch(context);
    return super.predictStream(context, messages, params);
  }

  #watch({ signal }: ModelContext): void {
    signal.addEventListener("abort", () => this.stopped.resolve());
    this.asked.resolve();
  }
}

/** Begins to answer, and then keeps silent. */
const STALLED: Answer = ndjson([{ message: { role: "assistant", content: "Hel" }, done: false }], { end: "stall" });

for (const { name, begun, leave } of LEAVINGS) {
  Deno.test(`openai ends the call of Ollama when ${name}`, async () => {
    await using upstream = await startFakeUpstream([begun ? STALLED : ["stall"]]);
    const client = new OllamaClient({ host: upstream.url, retries: 0 });
    await using served = await serveModels({ slow: new OllamaChatModel({ model: "slow", client }) });
    await leave(served.client, upstream.requested(1));
    await upstream.allClosed();
    assertEquals(upstream.connections.map(({ closedByPeer }) => closedByPeer), [true]);
    assertEquals(served.errors, []);
  });

  Deno.test(`openai ends the work of the demo model when ${name}`, async () => {
    // Slow enough that only leaving can end it: a thousand words, or none before a minute.
    const model = new WatchedDemo({ delay: begun ? 20 : 60_000 });
    await using served = await serveModels({ slow: model });
    await leave(served.client, model.asked.promise);
    await model.stopped.promise;
    assertEquals(served.errors, []);
    assertEquals(served.requestHeaders.length, 1);
  });
}
