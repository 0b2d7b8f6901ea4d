/** Clients that leave: shared by the tests, their child process with forced garbage collections, and the benchmark. */
import { type Answer, json, ndjson } from "../support/fake_upstream.ts";
import { RawClient } from "./_raw_client.ts";
import { type Asking, done, type Stack, type StackOptions, startStack, token, within } from "./_stack.ts";

/** A client that leaves at a certain moment. */
export interface Disconnect {
  readonly asking: Asking;
  /** What the upstream does, which never comes to an end. */
  readonly answer: Answer;
  readonly options?: StackOptions;
  /** Text that the client waits for before it leaves. Default: leaves when the upstream has the request. */
  readonly got?: string;
  /** How many calls of the upstream there are. @default {1} */
  readonly calls?: number;
}

/** Told apart from a model's content by no one, so that `got` can tell headers from frames. */
const HEADERS = "\r\n\r\n";
const NDJSON_HEAD: Answer = [...ndjson([], { end: "stall" })];
const RECORDS = ndjson([token("One")], { end: "stall" });
const BODY: Answer = [
  { send: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"model":' },
  "stall",
];

/** The moments at which a client can leave, by name. */
export const DISCONNECTS: Readonly<Record<string, Disconnect>> = {
  "stream, before the upstream's headers": { asking: { stream: true }, answer: ["stall"] },
  "stream, before the first token": { asking: { stream: true }, answer: NDJSON_HEAD },
  "stream, before the first token but after the status": {
    asking: { stream: true },
    answer: NDJSON_HEAD,
    options: { statusWait: 10 },
    got: HEADERS,
  },
  "stream, after the first token": { asking: { stream: true }, answer: RECORDS, got: "One" },
  "stream of /invocations, after the first token": {
    asking: { stream: true, path: "/invocations" },
    answer: RECORDS,
    got: "One",
  },
  "stream of a predict-only model, before the upstream's headers": {
    asking: { stream: true, model: "predict_only" },
    answer: ["stall"],
  },
  "stream of a predict-only model, inside the body": {
    asking: { stream: true, model: "predict_only" },
    answer: BODY,
  },
  "stream of two answers, before the first token": {
    asking: { stream: true, n: 2 },
    answer: NDJSON_HEAD,
    calls: 2,
  },
  "stream of two answers, after the first token": {
    asking: { stream: true, n: 2 },
    answer: RECORDS,
    got: "One",
    calls: 2,
  },
  "no stream, before the upstream's headers": { asking: {}, answer: ["stall"] },
  "no stream, inside the body": { asking: {}, answer: BODY },
  "no stream of /invocations, inside the body": { asking: { path: "/invocations" }, answer: BODY },
  "no stream of a stream-only model, before the first token": {
    asking: { model: "stream_only" },
    answer: NDJSON_HEAD,
  },
  "no stream of a stream-only model, after the first token": {
    asking: { model: "stream_only" },
    answer: RECORDS,
  },
  "no stream of two answers, inside the body": { asking: { n: 2 }, answer: BODY, calls: 2 },
};

/** A prompt that the upstream answers well, to show that the server goes on. */
export const NEXT = "And now?";

/** Starts what a client of the given kind needs. */
export async function startDisconnect({ answer, options }: Disconnect): Promise<Stack> {
  return await startStack(({ body }) => {
    const { stream, messages } = JSON.parse(body);
    if (messages[0].content !== NEXT) return answer;
    return stream ? ndjson([token("Fine"), done()]) : json(done("Fine"));
  }, options);
}

/** Waits for the moment at which a client leaves. */
export async function momentToLeave(stack: Stack, { calls = 1 }: Disconnect): Promise<void> {
  await within(stack.upstream.requested(calls), "the upstream to be asked");
  // So that what the upstream sends has gone all the way; what comes to the client is waited for by `got`.
  await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What became of the upstream's connections when the client had left. */
export interface Departure {
  /** Milliseconds from the client's leaving to the closing of the last connection. */
  readonly milliseconds: number;
  readonly closedByPeer: boolean;
  readonly calls: number;
}

/**
 * Has a client leave, and waits for the upstream's connections to close.
 *
 * @param disconnect When it leaves.
 * @param options `beforeLeaving` is run at that moment.
 * @returns What became of the connections.
 */
export async function leave(
  disconnect: Disconnect,
  options: { readonly beforeLeaving?: () => Promise<void>; readonly stack: Stack },
): Promise<Departure> {
  const { stack, beforeLeaving } = options;
  const before = stack.upstream.connections.length;
  await using client = await RawClient.ask(stack.port, disconnect.asking);
  await momentToLeave(stack, disconnect);
  if (disconnect.got !== undefined) await within(client.got(disconnect.got), "the client to get something");
  await beforeLeaving?.();
  const left = performance.now();
  client.close();
  await within(stack.upstream.allClosed(), "the upstream's connections to close");
  const connections = stack.upstream.connections.slice(before);
  return {
    milliseconds: Math.max(...connections.map(({ closedAt = Infinity }) => closedAt)) - left,
    closedByPeer: connections.every((connection) => connection.closedByPeer),
    calls: connections.length,
  };
}

/** Collects garbage several times, and lets finalisers run. Needs `--v8-flags=--expose-gc`. */
export async function collectGarbage(): Promise<void> {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc !== "function") throw new Error("Run with --v8-flags=--expose-gc");
  for (let round = 0; round < 3; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
