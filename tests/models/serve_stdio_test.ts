import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { saveModel } from "../../models/mod.ts";
import { decodeNdjson } from "../../streaming/mod.ts";
import { ROOT } from "../support/command.ts";

const CHAT_MODEL = join(ROOT, "interop/models/loader_model.ts");
const CUSTOM_MODEL = join(ROOT, "interop/models/custom_loader_model.ts");
const LOAD = { type: "load", protocol: 1 };

type Values = Record<string, unknown>;

/** A worker, spoken to as the loader in Python does. */
class Worker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterableIterator<string[], undefined, void>;
  readonly #messages: Values[] = [];
  readonly #stderr: Promise<string>;
  #closed = false;
  /** Lines of the standard output that are none of the protocol's. */
  readonly noise: string[] = [];

  private constructor(folder: string, child: Deno.ChildProcess) {
    this.#folder = folder;
    this.#child = child;
    this.#stdin = child.stdin.getWriter();
    this.#lines = decodeNdjson(child.stdout);
    this.#stderr = new Response(child.stderr).text();
  }

  static async start(model: string): Promise<Worker> {
    const parent = await Deno.makeTempDir();
    const folder = join(parent, "model");
    await saveModel(folder, {
      model,
      modelConfig: { greeting: "hello" },
      ...(model === CUSTOM_MODEL && { inputExample: [{ text: "Hi" }, { unit: "words" }] }),
    });
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--config", join(ROOT, "deno.json"), "--no-lock"],
        ...["--allow-env", `--allow-read=${folder},${ROOT}`, join(folder, "code/deno_chat_worker.ts")],
      ],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Worker(parent, child);
  }

  /** A worker whose model is loaded. */
  static async ready(model: string = CHAT_MODEL): Promise<Worker> {
    const worker = await Worker.start(model);
    await worker.send(LOAD);
    const { type } = await worker.next();
    assertEquals(type, "hello");
    return worker;
  }

  async send(...messages: Values[]): Promise<void> {
    await this.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  }

  async write(text: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(text));
  }

  /** The next message that the worker sends. */
  async next(): Promise<Values> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`The worker ended: ${await this.#stderr}`);
      for (const line of value) {
        if (line.startsWith("\x1e")) this.#messages.push(JSON.parse(line.slice(1)));
        else this.noise.push(line);
      }
    }
  }

  /** The messages of some calls, by the calls' ids. */
  async take(count: number): Promise<Map<unknown, Values>> {
    const messages = new Map<unknown, Values>();
    while (messages.size < count) {
      const message = await this.next();
      messages.set(message.id, message);
    }
    return messages;
  }

  /** Ends its stdin, and waits for it to end. */
  async end(): Promise<{ readonly code: number; readonly stderr: string }> {
    await this.#closeStdin();
    const { code } = await this.#child.status;
    return { code, stderr: await this.#stderr };
  }

  async #closeStdin(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Where the worker has ended by itself, there is nothing left to be closed.
    await this.#stdin.close().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#lines.return?.();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function chat(id: number, content: string, more: Values = {}): Values {
  return { type: "predict", id, input: { messages: [{ role: "user", content }] }, ...more };
}

function chatStream(id: number, content: string, credit: number): Values {
  return chat(id, content, { type: "predict_stream", credit });
}

function textOf(message: Values | undefined): unknown {
  const { output } = message ?? {};
  assert(typeof output === "object" && output !== null && "choices" in output && Array.isArray(output.choices));
  return output.choices[0].message.content;
}

function errorOf(message: Values): Values {
  assertEquals(message.type, "error");
  const { error } = message;
  assert(typeof error === "object" && error !== null);
  return Object.fromEntries(Object.entries(error));
}

Deno.test("serveStdio() greets with protocol and kind when the model is loaded", async () => {
  await using worker = await Worker.start(CHAT_MODEL);
  await worker.send(LOAD);
  const { type, protocol, kind, streamable } = await worker.next();
  assertEquals({ type, protocol, kind, streamable }, { type: "hello", protocol: 1, kind: "chat", streamable: true });
});

Deno.test("serveStdio() loads the model with the configuration it is told", async () => {
  await using worker = await Worker.start(CHAT_MODEL);
  await worker.send({ ...LOAD, model_config: { greeting: "bye" } });
  assertEquals((await worker.next()).type, "hello");
  await worker.send(chat(1, "config"));
  assertEquals(textOf(await worker.next()), '{"greeting":"bye"}');
});

Deno.test("serveStdio() says why and ends when the model cannot be loaded", async () => {
  await using worker = await Worker.start(CHAT_MODEL);
  await worker.send({ ...LOAD, model_config: { greting: "bye" } });
  const message = await worker.next();
  assertEquals("id" in message, false);
  assertMatch(String(errorOf(message).message), /"greting".*"greeting"/);
  assertEquals((await worker.end()).code, 1);
});

Deno.test("serveStdio() refuses a loader of another protocol", async () => {
  await using worker = await Worker.start(CHAT_MODEL);
  await worker.send({ ...LOAD, protocol: 2 });
  assertEquals(errorOf(await worker.next()).code, "start_failed");
  assertEquals((await worker.end()).code, 1);
});

Deno.test("serveStdio() answers calls at once, each with its id", async () => {
  await using worker = await Worker.ready();
  // Each waits for all others.
  const ids = Array.from({ length: 10 }, (_, index) => index + 1);
  await worker.send(...ids.map((id) => chat(id, `together:10 ${id}`)));
  const answers = await worker.take(10);
  assertEquals(ids.map((id) => textOf(answers.get(id))), ids.map((id) => `10 ${id}`));
});

Deno.test("serveStdio() answers a call of several megabytes cut into packets", async () => {
  await using worker = await Worker.ready();
  await worker.send(chat(1, `length:${"ä".repeat(3_000_000)}`));
  assertEquals(textOf(await worker.next()), "3000000");
});

Deno.test("serveStdio() sends no more of a stream than it has credit for", async () => {
  await using worker = await Worker.ready();
  await worker.send(chatStream(1, "count:5", 3));
  for (let index = 0; index < 3; index++) assertEquals((await worker.next()).type, "item");
  // Round trips in which a fourth would have come.
  for (let id = 2; id < 22; id++) {
    await worker.send(chat(id, "x"));
    assertEquals((await worker.next()).id, id);
  }
  await worker.send({ type: "more", id: 1, count: 100 });
  const types: unknown[] = [];
  while (types.at(-1) !== "end") types.push((await worker.next()).type);
  // The role and the finish reason are items, too.
  assertEquals(types, ["item", "item", "item", "item", "end"]);
});

Deno.test("serveStdio() ends a call when it is cancelled", async () => {
  await using worker = await Worker.ready();
  await worker.send(chat(1, "sleep:600000"), { type: "cancel", id: 1 });
  const { code, status } = errorOf(await worker.next());
  assertEquals({ code, status }, { code: "cancelled", status: 499 });
  await worker.send(chat(2, "cancelled"));
  assertEquals(textOf(await worker.next()), "1");
});

Deno.test("serveStdio() ends a stream without credit when it is cancelled", async () => {
  await using worker = await Worker.ready();
  await worker.send(chatStream(1, "forever", 1));
  assertEquals((await worker.next()).type, "item");
  await worker.send({ type: "cancel", id: 1 });
  assertEquals(errorOf(await worker.next()).code, "cancelled");
  await worker.send(chat(2, "running"));
  assertEquals(textOf(await worker.next()), "0");
});

Deno.test("serveStdio() takes no notice of what is said of calls that have ended", async () => {
  await using worker = await Worker.ready();
  await worker.send({ type: "cancel", id: 7 }, { type: "more", id: 7, count: 1 }, chat(8, "still here"));
  assertEquals(textOf(await worker.next()), "still here");
});

Deno.test("serveStdio() refuses an invalid request with the field at fault, and without its text", async () => {
  await using worker = await Worker.ready();
  await worker.send({ type: "predict", id: 1, input: { messages: [{ role: "bot", content: "secret" }] } });
  const { status, param, message } = errorOf(await worker.next());
  assertEquals({ status, param }, { status: 400, param: "messages.0.role" });
  assertEquals(String(message).includes("secret"), false);
});

Deno.test("serveStdio() tells what the model throws, and its stack on stderr only", async () => {
  await using worker = await Worker.ready();
  await worker.send(chat(1, "throw:it broke"));
  const { status, message } = errorOf(await worker.next());
  assertEquals({ status, message }, { status: 500, message: "Cannot answer: the model failed: it broke" });
  assertMatch((await worker.end()).stderr, /RangeError: it broke\n {4}at .*loader_model\.ts/);
});

Deno.test("serveStdio() sends what the model prints to stderr, whichever way", async () => {
  await using worker = await Worker.ready();
  await worker.send(chat(1, "log:noise"));
  assertEquals(textOf(await worker.next()), "logged");
  const { stderr } = await worker.end();
  assertStringIncludes(stderr, "noise\n");
  assertStringIncludes(stderr, "argument");
  assertStringIncludes(stderr, "noise by Deno");
  assertEquals(worker.noise, []);
});

Deno.test("serveStdio() stops its calls and ends the process when stdin ends", async () => {
  await using worker = await Worker.ready();
  await worker.send(chat(1, "sleep:600000"), chatStream(2, "forever", 1));
  assertEquals((await worker.next()).type, "item");
  assertEquals((await worker.end()).code, 0);
  assertEquals(errorOf(await worker.next()).code, "cancelled");
});

Deno.test("serveStdio() ends the process when stdin ends before anything was said", async () => {
  await using worker = await Worker.start(CHAT_MODEL);
  assertEquals((await worker.end()).code, 0);
});

for (const line of ["no json", "{}", '{"type":"predict"}', '{"type":"more","id":1,"count":0}']) {
  Deno.test(`serveStdio() fails when a line is no message: ${line}`, async () => {
    await using worker = await Worker.ready();
    await worker.write(`${line}\n`);
    const { code, stderr } = await worker.end();
    assertEquals(code, 1);
    assertStringIncludes(stderr, "no message of the protocol");
  });
}

Deno.test("serveStdio() hands a custom model its input, with params and their defaults beside it", async () => {
  await using worker = await Worker.ready(CUSTOM_MODEL);
  const input = { text: "some" };
  await worker.send(
    { type: "predict", id: 1, input },
    { type: "predict", id: 2, input, params: { unit: "letters" } },
    { type: "predict", id: 3, input: { text: 1 } },
    { type: "predict_stream", id: 4, input, credit: 1 },
  );
  const answers = await worker.take(4);
  assertEquals(answers.get(1)?.output, { input, params: { unit: "words" } });
  assertEquals(answers.get(2)?.output, { input, params: { unit: "letters" } });
  assertEquals(errorOf(answers.get(3) ?? {}).status, 400);
  assertEquals(errorOf(answers.get(4) ?? {}).code, "unsupported_model");
});

Deno.test("serveStdio() fails the call when JSON cannot hold its answer", async () => {
  await using worker = await Worker.ready(CUSTOM_MODEL);
  await worker.send({ type: "predict", id: 1, input: { text: "" }, params: { unit: "bigint" } });
  assertEquals(errorOf(await worker.next()).status, 500);
});
