/** The whole way of a request, on real sockets: client, server, app, model, OpenAI client, upstream. */
import { OpenAIChatModel } from "../../../adapters/openai/mod.ts";
import { ChatModel, type ModelContext } from "../../../chat_model.ts";
import { type App, type AppOptions, createApp, listen } from "../../../serve.ts";
import type { PredictPart, PredictResult } from "../../../streaming/mod.ts";
import type { ChatMessage, ChatModelError, ChatParams } from "../../../types/mod.ts";
import {
  type Answer,
  type FakeUpstream,
  ndjson,
  startFakeUpstream,
  type UpstreamRequest,
} from "../../support/fake_upstream.ts";

/** Only writes `predictStream`: an answer in one piece is derived. */
class StreamOnly extends ChatModel {
  readonly #inner: OpenAIChatModel;

  constructor(inner: OpenAIChatModel) {
    super();
    this.#inner = inner;
  }

  override predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart, void, void> {
    return this.#inner.predictStream(context, messages, params);
  }
}

/** Only writes `predict`: a stream is derived. */
class PredictOnly extends ChatModel {
  readonly #inner: OpenAIChatModel;

  constructor(inner: OpenAIChatModel) {
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

/** A running server before a fake upstream. Its models: `plain`, `stream_only`, `predict_only`. */
export interface Stack extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly app: App;
  readonly upstream: FakeUpstream;
  /** What the app reported. */
  readonly errors: ChatModelError[];
}

/** Starts a stack; dispose it in the end. */
export async function startStack(
  answers: readonly Answer[] | ((request: UpstreamRequest, index: number) => Answer),
  { baseUrl, ...options }: AppOptions & { readonly baseUrl?: string } = {},
): Promise<Stack> {
  const upstream = await startFakeUpstream(answers);
  const errors: ChatModelError[] = [];
  const model = new OpenAIChatModel({ model: "plain", baseUrl: baseUrl ?? `${upstream.url}/v1` });
  const app = createApp(
    { plain: model, stream_only: new StreamOnly(model), predict_only: new PredictOnly(model) },
    { onError: (error) => errors.push(error), ...options },
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

/** How an event stream is sent. */
export interface SseOptions {
  /** How it ends after its events. @default {"end"} */
  readonly end?: "end" | "cut" | "reset" | "stall";
  /** Bytes a packet. Default: a packet an event. */
  readonly packet?: number;
  /** @default {"text/event-stream"} */
  readonly contentType?: string;
  /** Text after the last event. @default {"\n"} */
  readonly lastEnd?: string;
}

/** An event stream, a chunk an event; objects are written as JSON, texts as they are. */
export function sse(events: readonly unknown[], options: SseOptions = {}): Answer {
  const { end = "end", packet, contentType = "text/event-stream", lastEnd = "\n" } = options;
  const lines = events.map((event) => typeof event === "string" ? event : `data: ${JSON.stringify(event)}\n`);
  const answer = ndjson(lines, { end, lastLineEnd: lastEnd, ...(packet !== undefined && { packet }) });
  return answer.map((step) =>
    typeof step === "object" && "send" in step && typeof step.send === "string"
      ? { ...step, send: step.send.replace("application/x-ndjson", contentType) }
      : step
  );
}

/** The last event. */
export const DONE = "data: [DONE]\n";

const ENVELOPE = { id: "chatcmpl-up", created: 1_700_000_000, model: "plain-1" };

/** A chunk with a delta, or whatever else stands in its choice. */
export function chunk(delta: unknown, rest: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ...ENVELOPE,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...rest }],
  };
}

/** A chunk with a piece of the answer. */
export function token(content: string): Record<string, unknown> {
  return chunk({ content });
}

/** The chunk that ends the answer. */
export function finish(reason = "stop"): Record<string, unknown> {
  return chunk({}, { finish_reason: reason });
}

export const USAGE = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

/** The chunk with the usage. */
export const USAGE_CHUNK = { ...ENVELOPE, object: "chat.completion.chunk", choices: [], usage: USAGE };

/** A whole answer. */
export function whole(content: string, rest: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ...ENVELOPE,
    object: "chat.completion",
    choices: [{
      index: 0,
      message: { role: "assistant", content, refusal: null },
      logprobs: null,
      finish_reason: "stop",
    }],
    usage: USAGE,
    ...rest,
  };
}

/** A good stream of one text. */
export function goodStream(content: string): Answer {
  return sse([chunk({ role: "assistant", content: "" }), token(content), finish(), USAGE_CHUNK, DONE]);
}
