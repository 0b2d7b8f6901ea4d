/** The whole way of a request, on real sockets: client, server, app, model, Ollama client, upstream. */
import { assert, assertEquals } from "@std/assert";
import { OllamaChatModel, type OllamaChatRecord, OllamaClient } from "../../adapters/ollama/mod.ts";
import { ChatModel, type ModelContext } from "../../chat_model.ts";
import { type App, type AppOptions, createApp, listen } from "../../serve.ts";
import type { AnswerPart, PredictResult } from "../../streaming/mod.ts";
import type { ChatMessage, ChatModelError, ChatParams } from "../../types/mod.ts";
import { type Answer, type FakeUpstream, startFakeUpstream, type UpstreamRequest } from "../support/fake_upstream.ts";

/** Only writes `predictStream`: an answer in one piece is derived. */
class StreamOnly extends ChatModel {
  readonly #inner: OllamaChatModel;

  constructor(inner: OllamaChatModel) {
    super();
    this.#inner = inner;
  }

  override predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<AnswerPart, void, void> {
    return this.#inner.predictStream(context, messages, params);
  }
}

/** Only writes `predict`: a stream is derived. */
class PredictOnly extends ChatModel {
  readonly #inner: OllamaChatModel;

  constructor(inner: OllamaChatModel) {
    super();
    this.#inner = inner;
  }

  override predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): Promise<PredictResult> {
    return this.#inner.predict(context, messages, params);
  }
}

/** A running server before a fake Ollama. Its models: `plain`, `stream_only`, `predict_only`. */
export interface Stack extends AsyncDisposable {
  /** Base URL of the server. */
  readonly url: string;
  readonly port: number;
  readonly app: App;
  readonly upstream: FakeUpstream;
  /** What the app reported. */
  readonly errors: ChatModelError[];
}

/** Options for {@linkcode startStack}. */
export interface StackOptions extends AppOptions {
  /** Where Ollama is, if not at the fake upstream. */
  readonly host?: string;
}

/**
 * Starts a server and a fake upstream.
 *
 * @param answers What the upstream does.
 * @param options Options of the app.
 * @returns Both; dispose them in the end.
 */
export async function startStack(
  answers: readonly Answer[] | ((request: UpstreamRequest, index: number) => Answer),
  options: StackOptions = {},
): Promise<Stack> {
  const upstream = await startFakeUpstream(answers);
  const errors: ChatModelError[] = [];
  const { host = upstream.url, ...appOptions } = options;
  const model = new OllamaChatModel({ model: "plain", client: new OllamaClient({ host }) });
  const app = createApp(
    { plain: model, stream_only: new StreamOnly(model), predict_only: new PredictOnly(model) },
    { onError: (error) => errors.push(error), ...appOptions },
  );
  const server = await listen(app, { port: 0 });
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    app,
    upstream,
    errors,
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      server.shutdown();
      await server.finished;
    },
  };
}

/** A record with a piece of the answer. */
export function token(content: string): OllamaChatRecord {
  return { model: "plain", created_at: "2026-11-24T00:00:00Z", message: { role: "assistant", content }, done: false };
}

/** The last record. */
export function done(content = ""): OllamaChatRecord {
  return { ...token(content), done: true, done_reason: "stop", prompt_eval_count: 3, eval_count: 4 };
}

/** How to ask. */
export interface Asking {
  readonly model?: string;
  readonly stream?: boolean;
  readonly prompt?: string;
  readonly path?: string;
  readonly n?: number;
}

/** The body of a request. */
export function requestBody({ model = "plain", stream = false, prompt = "Hello", n }: Asking): string {
  return JSON.stringify({
    model,
    stream,
    messages: [{ role: "user", content: prompt }],
    ...(n !== undefined && { n }),
  });
}

/** What a client got. */
export interface Outcome {
  readonly status: number;
  readonly headers: Headers;
  /** All text of the first choice. */
  readonly content: string;
  readonly finishReason?: string | undefined;
  /** OpenAI's `error`, in the body or in the last frame; MLflow's body for its routes. */
  readonly error?: unknown;
}

/** Asks as a client would, checks that the answer is in good order, and reads it. */
export async function ask(stack: { readonly url: string }, asking: Asking): Promise<Outcome> {
  const response = await fetch(`${stack.url}${asking.path ?? "/v1/chat/completions"}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: requestBody(asking),
  });
  const { status, headers } = response;
  // Rejects if the connection is not closed properly.
  const text = await response.text();
  if (headers.get("content-type") === "text/event-stream") {
    assertEquals(status, 200);
    assert(asking.stream);
    return { status, headers, ...readEvents(text) };
  }
  assertEquals(headers.get("content-type"), "application/json");
  const body = JSON.parse(text);
  if (status !== 200) {
    assert(body.error_code !== undefined || Object.keys(body).join() === "error", text);
    return { status, headers, content: "", error: body.error ?? body };
  }
  assert(!asking.stream && body.error === undefined, text);
  const [choice] = body.choices;
  return { status, headers, content: choice.message.content, finishReason: choice.finish_reason };
}

/** Reads an event stream: it ends with `[DONE]` or with one error, and has neither before. */
export function readEvents(text: string): Pick<Outcome, "content" | "finishReason" | "error"> {
  assert(text.endsWith("\n\n"), "the last frame is cut");
  for (const line of text.split("\n")) {
    assert(new TextEncoder().encode(line).length <= 65_536, `a line of ${line.length} characters`);
  }
  const frames = text.split("\n\n").slice(0, -1).filter((frame) => !frame.startsWith(":"));
  const last = frames.pop();
  let content = "";
  let finishReason: string | undefined;
  for (const frame of frames) {
    assert(frame.startsWith("data: {"), frame);
    const chunk = JSON.parse(frame.slice("data: ".length));
    assert(!("error" in chunk) && chunk.object === "chat.completion.chunk", frame);
    for (const { index, delta, finish_reason } of chunk.choices) {
      if (index !== 0) continue;
      content += delta.content ?? "";
      finishReason = finish_reason ?? finishReason;
    }
  }
  if (last === "data: [DONE]") return { content, finishReason };
  const { error, ...rest } = JSON.parse(last?.slice("data: ".length) ?? "");
  assertEquals(rest, {});
  assertEquals(finishReason, undefined, "an error after the end");
  assertEquals(Object.keys(error).sort(), ["code", "message", "param", "type"]);
  return { content, error };
}

/** Waits, but not for ever. */
export async function within<T>(promise: Promise<T>, what: string, milliseconds = 5_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${milliseconds} ms in vain for ${what}`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until something is so, but not for ever. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
