/** One request by `node:http`, and its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ChatModelError } from "../types/mod.ts";
import type { App } from "./app.ts";
import type { Connection } from "./_connection.ts";
import { errorAnswer } from "./_error_answer.ts";
import { hasBody, METHODS, toRequest } from "./_incoming.ts";
import { requestIdOf } from "./_request_scope.ts";
import { AnswerHeaders } from "./_respond.ts";
import { pathOf, routePath } from "./_router.ts";

/** Bytes of a body that no one wants, up to which it is waited for so that the connection can go on. */
const MAX_UNWANTED = 1_048_576;

/** Milliseconds that a client gets to read its answer while it still sends, before the connection is closed. */
const LINGER = 1_000;

/** A comment of an event stream: shows whether the client is still there. */
const COMMENT = ":\n\n";

/** What a request's `Expect` header asks for: to be told to send the body, or something that no one knows. */
export type Expectation = "none" | "continue" | "unknown";

/** A request and its answer. */
export class Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly connection: Connection;
  /** Fires when the client leaves. */
  readonly gone: AbortController = new AbortController();
  /** Whether the client sends no more, though its body is not whole. */
  isBroken = false;
  /** Called when that turns out. */
  onBroken: (() => void) | undefined;
  /** Whether the client sends its body only when it is told to (`Expect: 100-continue`), and was not yet. */
  awaitsInvitation: boolean;
  /** Whether the client expects what this server does not know. */
  readonly expectsUnknown: boolean;
  /** Whether the last thing written was the end of a frame of an event stream. */
  isBetweenFrames = false;
  /** The answer that goes before this one. */
  readonly #previous: ServerResponse | undefined;

  constructor(
    connection: Connection,
    parts: {
      readonly incoming: IncomingMessage;
      readonly outgoing: ServerResponse;
      readonly expectation: Expectation;
    },
  ) {
    this.connection = connection;
    this.incoming = parts.incoming;
    this.outgoing = parts.outgoing;
    this.awaitsInvitation = parts.expectation === "continue";
    this.expectsUnknown = parts.expectation === "unknown";
    if (this.awaitsInvitation) this.#previous = connection.newest?.outgoing;
    // A write that came too late: what there is to know, the connection's "close" tells.
    this.outgoing.on("error", ignore);
  }

  /** Whether it is the client that is to go on, with more of the body: no one else is waited for. */
  get awaitsBody(): boolean {
    const { complete, readableFlowing } = this.incoming;
    return !complete && readableFlowing === true && !this.awaitsInvitation && !this.isBroken;
  }

  /** Tells a client that waits for it to send its body, when it is its turn to be answered. */
  invite(): void {
    if (!this.awaitsInvitation) return;
    if (this.outgoing.socket === null && !this.outgoing.headersSent) {
      this.#previous?.once("close", () => this.invite());
      return;
    }
    this.awaitsInvitation = false;
    // By then, it may have been sent all the same.
    if (!this.outgoing.headersSent && !this.incoming.complete) this.outgoing.writeContinue();
  }

  /** The rest of the request will never come. */
  breakOff(): void {
    this.isBroken = true;
    this.onBroken?.();
  }

  /**
   * Writes something that changes nothing, where something can be: to a client that has left, it fails.
   * Every client of HTTP/1.1 skips a "100 Continue" (RFC 9110 §15.2), and every one of event streams a comment.
   *
   * @returns Whether the client can be asked that way at all.
   */
  probe(): boolean {
    const { incoming, outgoing } = this;
    if (outgoing.headersSent) {
      if (this.isBetweenFrames) outgoing.write(COMMENT);
      return true;
    }
    if (incoming.httpVersionMinor === 0) return false;
    // Before that, an earlier answer is still being sent, which shows it as well.
    if (outgoing.socket !== null) outgoing.writeContinue();
    return true;
  }
}

function ignore(): void {}

/** Has an app answer. */
export async function answer(app: Pick<App, "fetch">, exchange: Exchange): Promise<void> {
  const { incoming, outgoing, gone: { signal } } = exchange;
  try {
    const response = await respond(app, exchange);
    if (signal.aborted) return await response.body?.cancel();
    await send(response, exchange);
  } catch (error) {
    // The app answers every failure itself: this is the connection's, and ends with it.
    outgoing.destroy(error instanceof Error ? error : undefined);
    incoming.socket.destroy();
  } finally {
    exchange.connection.release(exchange);
  }
}

async function respond(app: Pick<App, "fetch">, exchange: Exchange): Promise<Response> {
  const { incoming } = exchange;
  let request: Request;
  try {
    if (incoming.url === "*" && incoming.method === "OPTIONS") return await refuse(exchange);
    request = toRequest(exchange);
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    return await refuse(exchange, error);
  }
  // No part of a request for an app; but while it is not read, the client's leaving is not heard of.
  if (request.body === null && hasBody(incoming)) incoming.resume();
  const response = await app.fetch(request);
  // Refused before it was read, for its size, say: the rest is not waited for.
  if (request.body !== null && !request.bodyUsed) await request.body.cancel();
  return response;
}

/** Answers without an app: with an error, or with what "OPTIONS *" asks for. */
async function refuse(exchange: Exchange, error?: ChatModelError): Promise<Response> {
  const { incoming } = exchange;
  incoming.resume();
  const headers = new AnswerHeaders(requestIdOf(incoming.headersDistinct["x-request-id"]?.[0]));
  if (error === undefined || error.status === 405) headers.push(["allow", METHODS.join(", ")]);
  // Not before what came in the same packet has been taken in.
  await Promise.resolve();
  if (error === undefined) return new Response(null, { status: 204, headers: headers.complete() });
  return errorAnswer(error, routePath(pathOf(`http://localhost${incoming.url ?? ""}`)), headers);
}

async function send(response: Response, exchange: Exchange): Promise<void> {
  const { outgoing } = exchange;
  outgoing.statusCode = response.status;
  // Not by `setHeaders`: it walks Deno's iterator, which takes a multiple of the time.
  response.headers.forEach((value, name) => {
    if (name === "set-cookie") outgoing.appendHeader(name, value);
    else outgoing.setHeader(name, value);
  });
  if (exchange.connection.isLast(exchange)) outgoing.setHeader("connection", "close");
  if (response.body !== null && response.headers.get("content-type") === "text/event-stream") {
    return await pump(response.body, exchange);
  }
  const body = response.body === null ? undefined : new Uint8Array(await response.arrayBuffer());
  // With its length, so that a client can tell a whole answer from one that broke off.
  if (body !== undefined) outgoing.setHeader("content-length", body.length);
  if (!willEndSoon(exchange)) return await sendLast(body, exchange);
  outgoing.end(body);
}

/** Whether so little of the request is still to come that the connection can go on after it. */
function willEndSoon({ incoming, awaitsInvitation, isBroken }: Exchange): boolean {
  if (incoming.complete || !hasBody(incoming)) return true;
  return !isBroken && !awaitsInvitation && Number(incoming.headers["content-length"]) <= MAX_UNWANTED;
}

/**
 * Sends the last answer of a connection whose client still sends. What it sends is thrown away for a while: a
 * connection that is closed with something unread is reset, and with that the answer may be lost.
 */
async function sendLast(body: Uint8Array | undefined, exchange: Exchange): Promise<void> {
  const { incoming, outgoing, gone } = exchange;
  outgoing.setHeader("connection", "close");
  if (body === undefined) outgoing.flushHeaders();
  else outgoing.write(body);
  await new Promise<void>((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      gone.signal.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, LINGER);
    gone.signal.addEventListener("abort", settle);
    incoming.once("end", settle);
    exchange.onBroken = settle;
    incoming.resume();
    if (gone.signal.aborted || incoming.complete || exchange.isBroken) settle();
  });
  outgoing.end();
}

/** Writes a stream as fast as the client takes it. */
async function pump(body: ReadableStream<Uint8Array>, exchange: Exchange): Promise<void> {
  const { outgoing, gone: { signal } } = exchange;
  const reader = body.getReader();
  const cancel = () => reader.cancel(signal.reason).catch(() => {}); // The stream reports its failures in its frames.
  signal.addEventListener("abort", cancel);
  outgoing.flushHeaders();
  exchange.isBetweenFrames = true;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || signal.aborted) break;
    exchange.isBetweenFrames = value.at(-1) === NEWLINE && value.at(-2) === NEWLINE;
    if (!outgoing.write(value)) await drained(outgoing, signal);
  }
  if (!signal.aborted) outgoing.end();
}

const NEWLINE = 10;

function drained(outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      outgoing.off("drain", settle);
      gone.removeEventListener("abort", settle);
      resolve();
    };
    outgoing.once("drain", settle);
    gone.addEventListener("abort", settle);
    if (gone.aborted) settle();
  });
}
