/** What goes on on one connection by `node:http`. */
import type { Socket } from "node:net";
import type { Exchange } from "./_exchange.ts";
import type { RawAnswer } from "./_raw_response.ts";

/** Milliseconds between the first two questions whether the client is still there, and between the later ones. */
const FIRST_PROBE = 20;
const LAST_PROBE = 5_000;

/** Milliseconds that a client gets that has closed its side and cannot be asked whether it is still there. */
const GRACE = 1_000;

/** Requests of one connection that run, or whose answers are not sent; when there are so many, no more are read. */
const MAX_RUNNING = 100;

/** Bytes of a body that have to come in a millisecond, on average: 500 a second, a tenth of what a modem sends. */
const MIN_BODY_RATE = 0.5;

/** Milliseconds until a connection is closed whose client was told that it is the end, and stays. */
const LINGER = 1_000;

/** A connection with its requests that are being answered. */
export class Connection {
  /** The Host header that was found good last. */
  host: string | undefined;
  readonly #socket: Socket;
  /** Those without an answer yet, in the order in which they came, and are answered. */
  readonly #exchanges = new Set<Exchange>();
  /** Those whose answers have not been sent to their ends. */
  readonly #unsent = new Set<Exchange>();
  /** Those that came in one packet with others, and are too many to run yet. */
  readonly #waiting = new Map<Exchange, () => void>();
  #newest: Exchange | undefined;
  #isFull = false;
  #isEnding = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds without a request after which it is closed, now that the server stops; see `retire`. */
  #linger: number | undefined;
  #retiring: ReturnType<typeof setTimeout> | undefined;
  /** The request whose body is being waited for, and how much had come when it was looked at last. */
  #awaited: { readonly exchange: Exchange; readonly since: number; readonly bytesRead: number } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.once("close", () => this.#onClose());
    socket.once("end", () => this.#onEnd());
    // At the end of each request, `node:http` has the socket go on.
    socket.on("resume", () => this.#isFull && socket.pause());
    // What there is to know, "close" tells.
    socket.on("error", () => {});
  }

  /** The last request that came. */
  get newest(): Exchange | undefined {
    return this.#newest;
  }

  /** Whether nothing ever came. */
  get isUnused(): boolean {
    return this.#socket.bytesRead === 0;
  }

  /**
   * Takes up a request.
   *
   * @param exchange The request.
   * @param start Has it answered: called at once, or when there are few enough before it.
   */
  add(exchange: Exchange, start: () => void): void {
    clearTimeout(this.#retiring);
    this.#exchanges.add(exchange);
    this.#unsent.add(exchange);
    this.#newest = exchange;
    exchange.outgoing.on("close", () => this.#onSent(exchange));
    if (this.#unsent.size <= MAX_RUNNING) start();
    else this.#waiting.set(exchange, start);
    if (this.#unsent.size >= MAX_RUNNING) this.#isFull = true;
    // Not before `node:http` has taken in the rest of the packet. It has reasons of its own to pause.
    if (this.#isFull || this.#socket.isPaused()) queueMicrotask(() => this.#pause());
  }

  /**
   * Closes a connection that never carried a request, which clients open in advance. It passes for busy with
   * `node:http`, which would wait for it when it closes.
   */
  closeIfUnused(): void {
    if (this.#newest === undefined) this.#socket.destroy();
  }

  /**
   * The server stops: answers say from now on that they are the last of the connection, and it is closed when no request
   * has run on it for a while. A client that has sent one just now did not know, and is answered.
   *
   * @param linger Milliseconds.
   */
  retire(linger: number): void {
    this.#linger = linger;
    this.#retireIfIdle();
  }

  /** Whether an answer is the last that the client can expect: requests behind it are answered before. */
  isLast(exchange: Exchange): boolean {
    return this.#linger !== undefined && exchange === this.#newest;
  }

  #retireIfIdle(): void {
    if (this.#linger === undefined || this.#unsent.size > 0 || this.#isEnding) return;
    clearTimeout(this.#retiring);
    this.#retiring = setTimeout(() => {
      this.#socket.end();
      this.#retiring = setTimeout(() => this.#socket.destroy(), LINGER);
    }, this.#linger);
  }

  /**
   * Whether the client is too slow to send the body of its request. To be asked again and again; each time that is up,
   * enough has to have come since it was up the last time.
   *
   * @param now By `performance.now()`.
   * @param timeout Milliseconds after which it is looked at how much has come.
   */
  isBodyLate(now: number, timeout: number): boolean {
    const exchange = this.#newest;
    const { bytesRead } = this.#socket;
    if (exchange === undefined || !exchange.awaitsBody || this.#isFull || this.#isEnding) this.#awaited = undefined;
    else if (this.#awaited?.exchange !== exchange) this.#awaited = { exchange, since: now, bytesRead };
    else if (now - this.#awaited.since >= timeout) {
      const isLate = (bytesRead - this.#awaited.bytesRead) / (now - this.#awaited.since) < MIN_BODY_RATE;
      this.#awaited = { exchange, since: now, bytesRead };
      return isLate;
    }
    return false;
  }

  /** Lets go of a request: its answer has been handed on. */
  release(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
  }

  #onSent(exchange: Exchange): void {
    this.#unsent.delete(exchange);
    this.#retireIfIdle();
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next[0]);
      next[1]();
    }
    if (!this.#isFull || this.#unsent.size >= MAX_RUNNING) return;
    this.#isFull = false;
    // Another property that is not documented: whether it is paused because the client does not read its answers.
    if (Reflect.get(this.#socket, "_paused") !== true) this.#socket.resume();
  }

  /** While nothing is read, a client that leaves is not heard. */
  #pause(): void {
    if (this.#socket.destroyed) return;
    if (this.#isFull) this.#socket.pause();
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#probe(FIRST_PROBE), FIRST_PROBE);
  }

  /**
   * Closes the connection with a last answer, to a request that could not be read, after those to the requests before.
   *
   * @param answer The whole answer, head and body; nothing, if no one can be told. Must not reject.
   */
  endWith(answer: Promise<RawAnswer> | undefined): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const newest = this.#newest;
    // If its body is at fault, it is the one that is answered; once its answer began, nothing can be said any more.
    const isBroken = newest !== undefined && !newest.incoming.complete;
    if (answer === undefined || isBroken && newest.outgoing.headersSent) {
      this.#socket.destroy();
      return;
    }
    if (isBroken) {
      newest.gone.abort(clientLeft());
      for (const list of [this.#exchanges, this.#unsent, this.#waiting]) list.delete(newest);
    }
    // Nothing that comes is of use any more but its end; and the parser that read it is another connection's by now.
    this.#isFull = false;
    // Node goes on to tell that it is late, and each time adds one.
    this.#socket.setMaxListeners(0);
    this.#socket.removeAllListeners("data");
    this.#socket.removeAllListeners("end");
    this.#socket.once("end", () => this.#onEnd());
    this.#socket.resume();
    const last = [...this.#unsent].at(-1);
    if (last === undefined) void this.#close(answer);
    else last.outgoing.once("close", () => void this.#close(answer));
  }

  async #close(promised: Promise<RawAnswer>): Promise<void> {
    const answer = await promised;
    if (!this.#socket.writable || answer === undefined) {
      this.#socket.destroy();
      return;
    }
    this.#socket.end(answer);
    this.#stopProbing();
    // A connection that is closed with something unread is reset, and with that the answer may be lost.
    if (this.#socket.readableEnded) return;
    this.#timer = setTimeout(() => this.#socket.destroy(), LINGER);
  }

  #onClose(): void {
    this.#stopProbing();
    clearTimeout(this.#retiring);
    this.#linger = undefined;
    this.#waiting.clear();
    if (this.#exchanges.size === 0) return;
    const reason = clientLeft();
    for (const exchange of this.#exchanges) exchange.gone.abort(reason);
    this.#exchanges.clear();
  }

  /**
   * The client sends no more. Has it left, or does it only wait for its answers? A connection that was closed looks
   * the same as one whose one side was, until something is sent to it.
   */
  #onEnd(): void {
    this.#stopProbing();
    if (this.#newest?.incoming.complete !== false) {
      this.#probe(FIRST_PROBE);
      return;
    }
    // The rest of the request will never come: it is refused at once, as a rule, and need not be told to go on before.
    this.#newest.breakOff();
    this.#timer = setTimeout(() => this.#probe(FIRST_PROBE), FIRST_PROBE);
  }

  #stopProbing(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #probe(delay: number): void {
    this.#timer = undefined;
    const [current] = this.#exchanges;
    const { readableEnded } = this.#socket;
    if (current === undefined || this.#socket.destroyed || !(readableEnded || this.#socket.isPaused())) return;
    if (current.probe() || !readableEnded) {
      this.#timer = setTimeout(() => this.#probe(Math.min(delay * 2, LAST_PROBE)), delay);
      return;
    }
    this.#timer = setTimeout(() => {
      if (this.#exchanges.has(current) && !current.outgoing.headersSent) this.#socket.destroy();
      else this.#probe(delay); // Its stream has begun, in which it can be asked.
    }, GRACE);
  }
}

function clientLeft(): DOMException {
  return new DOMException("The client closed the connection", "AbortError");
}
