/** Serves models on a real socket for OpenAI's own client, and looks at every byte that is sent to it. */
import OpenAI, { type ClientOptions } from "openai";
import { assertEquals } from "@std/assert";
import { OllamaChatModel, OllamaClient } from "../../adapters/ollama/mod.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { type AppModels, type AppOptions, createApp, listen, type ModelDirectory } from "../../serve.ts";
import { type ChatModelError, parseChatResponse, parseErrorResponse, parseModelList } from "../../types/mod.ts";
import { readRecording, type Recording, type Replay, startReplay, type Version, VERSIONS } from "../support/replay.ts";
import { newTally, validateAnswer } from "../conformance_openai/_checked_app.ts";
import { assertEventStream } from "./_event_stream.ts";

/** Models that are served. */
export interface Served extends AsyncDisposable {
  /** Base URL of the server, without `/v1`. */
  readonly url: string;
  /** A client that does not try again. */
  readonly client: OpenAI;
  /** Headers of the requests that came in, in order. */
  readonly requestHeaders: readonly Headers[];
  /** Paths of these requests. */
  readonly requestPaths: readonly string[];
  /** Errors that were the server's fault. */
  readonly errors: readonly ChatModelError[];
  /** Another client of the same server. */
  connect(options?: ClientOptions): OpenAI;
}

/** A body that was sent. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly type: string | null;
  text: string;
  /** Whether the server came to the body's end, rather than the client leaving before. */
  ended: boolean;
}

/**
 * Serves models. When it is disposed, every body that was sent must be as OpenAI specifies.
 *
 * @param models The models.
 * @param options Options of the app.
 * @returns The server; dispose it in the end.
 */
export async function serveModels(models: AppModels | ModelDirectory, options: AppOptions = {}): Promise<Served> {
  const requestHeaders: Headers[] = [];
  const requestPaths: string[] = [];
  const errors: ChatModelError[] = [];
  const sent: Sent[] = [];
  const app = createApp(models, { onError: (error) => errors.push(error), ...options });
  const server = await listen({
    async fetch(request) {
      requestHeaders.push(request.headers);
      requestPaths.push(new URL(request.url).pathname);
      return record(await app.fetch(request), request, sent);
    },
  }, { port: 0 });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const connect = (options: ClientOptions = {}): OpenAI =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", ...options });
  return {
    url,
    client: connect({ maxRetries: 0 }),
    requestHeaders,
    requestPaths,
    errors,
    connect,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
      for (const body of sent) assertSent(body);
    },
  };
}

function record(response: Response, request: Request, sent: Sent[]): Response {
  if (response.body === null) return response;
  const body: Sent = {
    method: request.method,
    path: new URL(request.url).pathname,
    status: response.status,
    type: response.headers.get("content-type"),
    text: "",
    ended: false,
  };
  sent.push(body);
  const decoder = new TextDecoder();
  const watched = response.body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(bytes, controller) {
        body.text += decoder.decode(bytes, { stream: true });
        controller.enqueue(bytes);
      },
      flush() {
        body.ended = true;
      },
    }),
  );
  return new Response(watched, response);
}

function assertSent({ method, path, status, type, text, ended }: Sent): void {
  if (!ended && text === "") return; // The client had left before it was sent.
  const isStream = type === "text/event-stream";
  if (!isStream) assertEquals(type, "application/json", `${path} answers in JSON`);
  // Of a stream that was left, whole frames only.
  const whole = isStream && !ended ? text.slice(0, text.lastIndexOf("\n\n") + 2) : text;
  const plain = path.replace(/\/$/, "");
  const [body] = whole === "" ? [] : validateAnswer({ method, path: plain, status, type, text: whole }, newTally());
  if (isStream) return plain.endsWith("/chat/completions") ? assertEventStream(text, ended) : undefined;
  // What the checks would fill in must have been there: hence the comparison.
  if (status >= 400) return assertEquals<unknown>(parseErrorResponse(body), body);
  if (method === "POST" && plain.endsWith("/chat/completions")) {
    return assertEquals<unknown>(parseChatResponse(body), body);
  }
  if (plain.endsWith("/models")) return assertEquals<unknown>(parseModelList(body), body);
  if (plain.includes("/models/")) parseModelList({ object: "list", data: [body] });
}

/** A model of a replayed Ollama, and what that one was asked. */
export interface ServedOllama extends Served {
  /** The Ollama. */
  readonly replay: Replay;
}

/** Name that the model of {@linkcode serveOllama} is served under. */
export const OLLAMA_MODEL = "llama3.2:1b";

/**
 * Serves a model of an Ollama that answers as recorded.
 *
 * @param version Which Ollama.
 * @param recordings The exchanges, or their names.
 * @returns The server; dispose it in the end.
 */
export async function serveOllama(
  version: Version,
  recordings: readonly (string | Recording)[],
): Promise<ServedOllama> {
  const replay = startReplay(
    recordings.map((recording) => typeof recording === "string" ? readRecording(recording, version) : recording),
  );
  const client = new OllamaClient({ host: replay.url, retries: 0 });
  const served = await serveModels({ [OLLAMA_MODEL]: new OllamaChatModel({ model: OLLAMA_MODEL, client }) });
  return {
    ...served,
    replay,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await replay[Symbol.asyncDispose]();
    },
  };
}

/** Bodies that the replayed Ollama got at `/api/chat`. */
export function chatBodies({ replay }: ServedOllama): readonly unknown[] {
  return replay.requests.filter(({ path }) => path === "/api/chat").map(({ body }) => body);
}

/** A way to get an answer, for what must be alike with all models. */
export interface Backend {
  readonly name: string;
  /** Name of the model. */
  readonly model: string;
  /** Serves the model; of Ollama with these recordings. */
  serve(recordings: readonly string[]): Promise<Served>;
}

/** The demo model and the recorded Ollamas. */
export const BACKENDS: readonly Backend[] = [
  { name: "the demo model", model: "demo", serve: () => serveModels({ demo: DemoChatModel }) },
  ...VERSIONS.map((version) => ({
    name: `Ollama ${version}`,
    model: OLLAMA_MODEL,
    serve: (recordings: readonly string[]) => serveOllama(version, recordings),
  })),
];

/** A member of an object that OpenAI's types do not know. */
export function member(value: object | undefined, name: string): unknown {
  return value === undefined ? undefined : Reflect.get(value, name);
}
