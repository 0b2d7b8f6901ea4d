/** The program that MLflow's Python starts, spoken to as the loader does: lines over stdin and stdout. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { saveModel } from "../../models/mod.ts";
import { ROOT } from "../support/command.ts";

/** A model that does what it is told. */
const MODEL = `import { ChatModel, type ChatMessage, type ModelContext } from "@chatmodel/chat-model";
export default class Told extends ChatModel {
  override async *predictStream(context: ModelContext, messages: readonly ChatMessage[]) {
    const said = String(messages.at(-1)?.content);
    if (said === "fail") throw new RangeError("no luck");
    if (said === "log") console.log("noise", context.modelConfig.get("tone", ""));
    if (said === "wait") {
      await new Promise((_, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason)));
    }
    for (let i = 0; said !== "forever" ? i < 3 : true; i++) yield said + i;
  }
}
`;

// deno-lint-ignore no-explicit-any -- messages of the protocol
type Message = any;

class Worker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  readonly #stderr: Promise<string>;

  constructor(folder: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", join(ROOT, "deno.json"), join(folder, "code/deno_chat_worker.ts"), folder],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout)[Symbol.asyncIterator]();
    this.#stderr = new Response(this.#child.stderr).text();
  }

  async send(message: Message): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  }

  async next(): Promise<Message> {
    const { value, done } = await this.#lines.next();
    assert(done !== true, "the worker has ended");
    assert(value.startsWith("\x1e"), `"${value}" bears no mark`);
    return JSON.parse(value.slice(1));
  }

  /** Ends its input, and waits for its end. */
  async end(): Promise<{ readonly code: number; readonly stderr: string; readonly rest: string[] }> {
    await this.#writer.close();
    const rest: string[] = [];
    for (let next = await this.#lines.next(); next.done !== true; next = await this.#lines.next()) {
      rest.push(next.value);
    }
    const { code } = await this.#child.status;
    return { code, stderr: await this.#stderr, rest };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {}); // Closed already, by end().
    await this.#child.status;
    await this.#stderr;
    await this.#lines.return?.();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

const ask = (content: string) => ({ messages: [{ role: "user", content }] });

async function withModel(action: (folder: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "worker-" });
  try {
    await Deno.writeTextFile(join(parent, "told.ts"), MODEL);
    const folder = join(parent, "model");
    await saveModel(folder, { model: join(parent, "told.ts"), modelConfig: { tone: "kind" } });
    await action(folder);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("the worker greets, answers calls by their ids, and ends with its input", async () => {
  await withModel(async (folder) => {
    await using worker = new Worker(folder);
    await worker.send({ type: "load", protocol: 1 });
    const hello = await worker.next();
    assertEquals([hello.type, hello.protocol, hello.kind, hello.streamable], ["hello", 1, "chat", true]);
    // The first waits for ever, so the second can only come by running beside it.
    await worker.send({ type: "predict", id: 1, input: ask("wait") });
    await worker.send({ type: "predict", id: 2, input: ask("a") });
    const answer = await worker.next();
    assertEquals([answer.type, answer.id, answer.output.choices[0].message.content], ["result", 2, "a0a1a2"]);
    await worker.send({ type: "cancel", id: 1 });
    const cancelled = await worker.next();
    assertEquals([cancelled.type, cancelled.id, cancelled.error.code], ["error", 1, "cancelled"]);
    const { code, rest } = await worker.end();
    assertEquals([code, rest], [0, []]);
  });
});

Deno.test("the worker sends no more of a stream than it was given credit for", async () => {
  await withModel(async (folder) => {
    await using worker = new Worker(folder);
    await worker.send({ type: "load", protocol: 1 });
    await worker.next();
    await worker.send({ type: "predict_stream", id: 1, input: ask("forever"), credit: 2 });
    assertEquals((await worker.next()).type, "item");
    assertEquals((await worker.next()).type, "item");
    // Another call's answer is what comes next, though the stream goes on for ever.
    await worker.send({ type: "predict", id: 2, input: ask("b") });
    assertEquals((await worker.next()).id, 2);
    await worker.send({ type: "more", id: 1, count: 1 });
    assertEquals((await worker.next()).id, 1);
    await worker.send({ type: "cancel", id: 1 });
    assertEquals((await worker.next()).type, "error");
  });
});

Deno.test("the worker tells of failures and keeps the model's console out of its answers", async () => {
  await withModel(async (folder) => {
    await using worker = new Worker(folder);
    await worker.send({ type: "load", protocol: 1, model_config: { tone: "dry" } });
    await worker.next();
    await worker.send({ type: "predict", id: 1, input: ask("fail") });
    const failed = await worker.next();
    assertEquals([failed.error.status, failed.error.code], [500, "model_error"]);
    assertStringIncludes(failed.error.message, "no luck");
    await worker.send({ type: "predict", id: 2, input: { messages: [] } });
    const refused = await worker.next();
    assertEquals([refused.error.status, refused.error.param], [400, "messages"]);
    await worker.send({ type: "predict", id: 3, input: ask("log") });
    assertEquals((await worker.next()).type, "result");
    const { stderr } = await worker.end();
    assertStringIncludes(stderr, "noise dry");
    assertStringIncludes(stderr, "RangeError: no luck");
  });
});

Deno.test("the worker says why a model cannot be loaded: configuration, changed code, another protocol", async () => {
  await withModel(async (folder) => {
    for (
      const [message, code] of [
        [{ type: "load", protocol: 1, model_config: { tonne: "dry" } }, "invalid_model_config"],
        [{ type: "load", protocol: 99 }, "start_failed"],
      ] as const
    ) {
      await using worker = new Worker(folder);
      await worker.send(message);
      const { type, error } = await worker.next();
      assertEquals([type, error.code], ["error", code]);
    }
    await Deno.writeTextFile(join(folder, "src/told.ts"), MODEL.replace("no luck", "bad luck"));
    await using worker = new Worker(folder);
    await worker.send({ type: "load", protocol: 1 });
    const { error } = await worker.next();
    assertEquals(error.code, "model_changed");
    assertStringIncludes(error.message, "src/told.ts");
  });
});
