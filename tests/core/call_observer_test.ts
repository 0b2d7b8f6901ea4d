import { AsyncLocalStorage } from "node:async_hooks";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type CallEnd,
  type CallObservation,
  type CallObserver,
  ChatModel,
  type ChatModelSource,
  CustomModel,
  loadChatModel,
  loadCustomModel,
  type ModelContext,
  type StartedCall,
} from "../../mod.ts";
import { observeEveryCall } from "../../call_observer.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";

const request = { messages: [{ role: "user", content: "Hi" }] } as const;

/** Writes down what it is told. */
class Recorder implements CallObserver {
  readonly started: StartedCall[] = [];
  readonly told: string[] = [];
  readonly ends: CallEnd[] = [];

  begin(call: StartedCall): CallObservation {
    this.started.push(call);
    return {
      chunks: (chunks) => void this.told.push(`${chunks.length} chunks`),
      result: ({ operation }) => void this.told.push(`result of ${operation}`),
      end: (end) => {
        this.told.push("end");
        this.ends.push(end);
      },
    };
  }
}

class Whole extends ChatModel {
  override predict() {
    return "Hello";
  }
}

class Words extends ChatModel {
  override async *predictStream() {
    yield "Hello";
    await Promise.resolve();
    yield " world";
  }
}

class SyncWords extends ChatModel {
  override *predictStream() {
    yield "Hello";
    yield " world";
  }
}

class Failing extends ChatModel {
  override async *predictStream() {
    yield "Hello";
    await Promise.resolve();
    throw new Error("no more");
  }
}

class Waiting extends ChatModel {
  override async *predictStream({ signal }: ModelContext) {
    yield "Hello";
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }
}

async function predicted(source: ChatModelSource): Promise<Recorder> {
  const observer = new Recorder();
  const model = await loadChatModel(source, { name: "m" });
  await model.predict(request, { observer, requestId: "r1" }).catch(() => {});
  return observer;
}

async function streamed(source: ChatModelSource, leaveAfter = Infinity): Promise<Recorder> {
  const observer = new Recorder();
  const model = await loadChatModel(source, { name: "m" });
  let count = 0;
  try {
    for await (const _ of model.predictStream(request, { observer, requestId: "r1" })) {
      if (++count >= leaveAfter) break;
    }
  } catch {
    // Told to the observer, which is looked at.
  }
  return observer;
}

Deno.test("CallObserver is told of an answer in one piece", async () => {
  const { started: [call], told, ends } = await predicted(Whole);
  assert(call?.operation === "chat");
  assertEquals([call.model, call.requestId, call.stream], ["m", "r1", false]);
  assertEquals(call.request.messages, [...request.messages]);
  assertEquals(told, ["result of chat", "end"]);
  assertEquals(ends, [{ outcome: "completed" }]);
});

for (const source of [Words, SyncWords]) {
  Deno.test(`CallObserver is told of every chunk of ${source.name}, then of the end`, async () => {
    for (const { told, ends, started } of [await streamed(source), await predicted(source)]) {
      assertEquals(started.length, 1);
      const chunks = told.filter((line) => line.endsWith("chunks")).map((line) => parseInt(line));
      // Role, two pieces of text, the end.
      assertEquals(chunks.reduce((sum, count) => sum + count, 0), 4);
      assertEquals(told.at(-1), "end");
      assertEquals(told.filter((line) => line === "end").length, 1);
      assertEquals(ends, [{ outcome: "completed" }]);
    }
  });
}

Deno.test("CallObserver is told why a call failed, once", async () => {
  for (const { ends } of [await streamed(Failing), await predicted(Failing)]) {
    assertEquals(ends.length, 1);
    const [end] = ends;
    assert(end?.outcome === "failed" && end.reason instanceof Error);
    assertEquals(end.reason.message, "no more");
  }
});

Deno.test("CallObserver is told of output that cannot be understood as of a failure", async () => {
  class Wrong extends ChatModel {
    override predict() {
      return JSON.parse('{"choices":"none"}');
    }
  }
  const { ends: [end], told } = await predicted(Wrong);
  assertEquals(end?.outcome, "failed");
  assertEquals(told, ["end"]);
});

Deno.test("CallObserver is told that a reader left", async () => {
  const { ends } = await streamed(Waiting, 2);
  assertEquals(ends, [{ outcome: "cancelled" }]);
});

Deno.test("CallObserver is told of the signal's reason", async () => {
  const observer = new Recorder();
  const model = await loadChatModel(Waiting);
  const controller = new AbortController();
  const reason = new Error("enough");
  const stream = model.predictStream(request, { observer, signal: controller.signal });
  await stream.next();
  await stream.next();
  const next = stream.next();
  controller.abort(reason);
  await assertRejects(() => next, Error, "enough");
  const [end] = observer.ends;
  assert(end?.outcome === "failed");
  assertStrictEquals(end.reason, reason);
});

Deno.test("CallObserver is told of vectors and of custom models", async () => {
  const observer = new Recorder();
  const demo = await loadChatModel(DemoChatModel);
  await demo.embed({ input: "A text" }, { observer });
  class Twice extends CustomModel {
    override predict(_context: ModelContext, input: unknown) {
      return [input, input];
    }
  }
  const twice = await loadCustomModel(Twice);
  await twice.predict("x", {}, { observer });
  assertEquals(observer.started.map(({ operation }) => operation), ["embeddings", "invoke"]);
  assertEquals(observer.told, ["result of embeddings", "end", "result of invoke", "end"]);
});

Deno.test("observeEveryCall() tells of calls until it is ended, besides the call's own observer", async () => {
  const everywhere = new Recorder();
  const own = new Recorder();
  const model = await loadChatModel(Words, { name: "observed-everywhere" });
  const end = observeEveryCall(everywhere);
  try {
    await model.predict(request, { observer: own });
  } finally {
    end();
  }
  await model.predict(request);
  const seen = everywhere.started.filter(({ model }) => model === "observed-everywhere");
  assertEquals(seen.length, 1);
  assertEquals(own.ends, [{ outcome: "completed" }]);
});

Deno.test("CallObservation.run() surrounds every step of a model", async () => {
  let steps = 0;
  const observer: CallObserver = {
    begin: () => ({
      run(step) {
        steps++;
        return step();
      },
      end() {},
    }),
  };
  // The call itself, and the steps; those of a synchronous generator are taken at once.
  for (const [source, expected] of [[Whole, 1], [Words, 4], [SyncWords, 2]] as const) {
    steps = 0;
    const model = await loadChatModel(source);
    const response = await model.predict(request, { observer });
    assert(response.choices[0]?.message.content?.startsWith("Hello"));
    assertEquals(steps, expected, source.name);
  }
});

Deno.test("CallObservation.run() is called once for an asynchronous stream where it only enters a context", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  class Asking extends ChatModel {
    override async *predictStream() {
      for (const word of ["Hello", " ", "world"]) {
        seen.push(storage.getStore());
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(storage.getStore());
        yield word;
      }
    }
  }
  let steps = 0;
  const observer: CallObserver = {
    begin: () => ({
      runsOnce: true,
      run: (step) => {
        steps++;
        return storage.run("the call's", step);
      },
      end() {},
    }),
  };
  const model = await loadChatModel(Asking);
  await storage.run("the reader's", async () => {
    for await (const _ of model.predictStream(request, { observer })) {
      assertEquals(storage.getStore(), "the reader's");
    }
  });
  assertEquals(seen, Array(6).fill("the call's"));
  // The method, and the steps.
  assertEquals(steps, 2);
  // One who wants to be asked each time is, whoever else there is.
  const each = { begin: () => ({ run: <T>(step: () => T): T => (steps++, step()), end() {} }) };
  const end = observeEveryCall(each);
  steps = 0;
  try {
    for await (const _ of model.predictStream(request, { observer }));
  } finally {
    end();
  }
  assertEquals(steps, 2 * 5);
});
