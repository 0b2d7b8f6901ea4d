/** Serves exchanges that were recorded with genuine Ollama servers. */

/** The servers that were recorded: the last one with engines of its own, and a newer one that runs llama-server. */
export const VERSIONS = ["v0.24", "head"] as const;

/** One of {@linkcode VERSIONS}. */
export type Version = typeof VERSIONS[number];

/** A recorded exchange. */
export interface Recording {
  readonly scenario: string;
  readonly note?: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    /** The body, parsed. */
    readonly body?: unknown;
    /** The body as text where it is no JSON. */
    readonly body_text?: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly body_text?: string;
    readonly ndjson?: readonly string[];
    readonly ends_with_newline?: boolean;
    readonly chunks?: readonly { readonly t_ms: number; readonly bytes_utf8: string }[];
    /** False where the connection broke. */
    readonly complete?: boolean;
  };
}

/** Options for {@linkcode startReplay}. */
export interface ReplayOptions {
  /** Share of the recorded time between the chunks to wait; 0 means not at all. @default {0} */
  readonly pace?: number;
  /** Cuts the bytes anew, in packets of so many. Default: as recorded. */
  readonly cutEvery?: number;
  /** Chooses the exchange that answers a request; none: it is unknown. Default: those of its path, in turn. */
  readonly choose?: (request: ReplayedRequest) => Recording | undefined;
}

/** A request that a replay got. */
export interface ReplayedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  /** The body, parsed; its text where it is no JSON. */
  readonly body: unknown;
}

/** A server that answers as recorded. */
export interface Replay extends AsyncDisposable {
  /** Its base URL. */
  readonly url: string;
  /** What it was asked, in order. */
  readonly requests: ReplayedRequest[];
}

const FOLDER = new URL("../testdata/ollama/", import.meta.url);

/**
 * Reads a recorded exchange.
 *
 * @param name Name of the scenario.
 * @param version Which server.
 * @returns The exchange.
 */
export function readRecording(name: string, version: Version): Recording {
  return JSON.parse(Deno.readTextFileSync(new URL(`${version}/${name}.json`, FOLDER)));
}

/**
 * Names of the recorded exchanges with a server.
 *
 * @param version Which server.
 * @returns The names, sorted.
 */
export function recordingNames(version: Version): string[] {
  return [...Deno.readDirSync(new URL(`${version}/`, FOLDER))].map((entry) => entry.name.replace(/\.json$/, "")).sort();
}

/**
 * The body of a recorded answer, as text.
 *
 * @param recording The exchange.
 * @returns The bytes that the server sent, decoded.
 */
export function recordedBody({ response }: Recording): string {
  const { chunks, body_text, ndjson, body, ends_with_newline = true } = response;
  if (chunks !== undefined) return chunks.map((chunk) => chunk.bytes_utf8).join("");
  if (body_text !== undefined) return body_text;
  if (ndjson !== undefined) return ndjson.join("\n") + (ends_with_newline ? "\n" : "");
  return typeof body === "string" ? body : "";
}

/**
 * Serves recorded exchanges at a free port of 127.0.0.1. Each path answers with its exchanges in turn, the last one
 * again and again; a path without any is unknown.
 *
 * @param recordings The exchanges.
 * @param options How their bytes come.
 * @returns The server; dispose it in the end.
 */
export function startReplay(recordings: readonly Recording[], options: ReplayOptions = {}): Replay {
  const requests: ReplayedRequest[] = [];
  const left = new Map<string, Recording[]>();
  for (const recording of recordings) {
    const { path } = recording.request;
    left.set(path, [...left.get(path) ?? [], recording]);
  }
  // Breaking the connection on purpose is no error to be logged.
  const onError = () => new Response(null, { status: 500 });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {}, onError }, async (request) => {
    const path = new URL(request.url).pathname;
    const body = await request.text();
    const asked = { method: request.method, path, headers: request.headers, body: parse(body) };
    requests.push(asked);
    const queue = left.get(path) ?? [];
    const inTurn = () => queue.length > 1 ? queue.shift() : queue[0];
    const recording = options.choose === undefined ? inTurn() : options.choose(asked);
    return recording ? respond(recording, options) : new Response("404 page not found", { status: 404 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function respond(recording: Recording, { pace = 0, cutEvery }: ReplayOptions): Response {
  const { response } = recording;
  const headers = new Headers(response.headers);
  headers.delete("transfer-encoding"); // The server sets it again.
  const text = recordedBody(recording);
  if (response.chunks === undefined && cutEvery === undefined) {
    return new Response(text === "" ? null : text, { status: response.status, headers });
  }
  const pieces = cutEvery === undefined
    ? (response.chunks ?? []).map(({ t_ms, bytes_utf8 }) => ({ at: t_ms, bytes: new TextEncoder().encode(bytes_utf8) }))
    : cut(new TextEncoder().encode(text), cutEvery).map((bytes) => ({ at: 0, bytes }));
  return new Response(streamOf(pieces, { pace, isComplete: response.complete !== false }), {
    status: response.status,
    headers,
  });
}

function cut(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}

function streamOf(
  pieces: readonly { readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> }[],
  { pace, isComplete }: { pace: number; isComplete: boolean },
): ReadableStream<Uint8Array> {
  let index = 0;
  let now = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = pieces[index++];
      if (piece === undefined) return isComplete ? controller.close() : controller.error(new Error("cut"));
      if (pace > 0) await new Promise((resolve) => timer = setTimeout(resolve, (piece.at - now) * pace));
      now = piece.at;
      controller.enqueue(piece.bytes);
    },
    cancel() {
      clearTimeout(timer);
    },
  }, { highWaterMark: 0 });
}
