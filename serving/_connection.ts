/** What goes on on one connection by `node:http`. */
import type { Duplex } from "node:stream";
import type { Exchange } from "./_exchange.ts";

/** Milliseconds between the first two questions whether the client is still there, and between the later ones. */
const FIRST_PROBE = 20;
const LAST_PROBE = 5_000;

/** Milliseconds that a client gets that has closed its side and cannot be asked whether it is still there. */
const GRACE = 1_000;

/** Milliseconds until a connection is closed whose client was told that it is the end, and stays. */
const LINGER = 1_000;

/** A connection with its requests that are being answered. */
export class Connection {
  /** The Host header that was found good last. */
  host: string | undefined;
  readonly #socket: Duplex;
  /** In the order in which they came, and are answered. */
  readonly #exchanges = new Set<Exchange>();
  #newest: Exchange | undefined;
  #isEnding = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.once("close", () => this.#onClose());
    socket.once("end", () => this.#onEnd());
    // What there is to know, "close" tells.
    socket.on("error", () => {});
  }

  /** Takes up a request. */
  add(exchange: Exchange): void {
    this.#exchanges.add(exchange);
    this.#newest = exchange;
  }

  /**
   * Closes a connection that never carried a request, which clients open in advance. It passes for busy with
   * `node:http`, which would wait for it when it closes.
   */
  closeIfUnused(): void {
    if (this.#newest === undefined) this.#socket.destroy();
  }

  /** Lets go of a request: its answer has been handed on. */
  release(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
  }

  /**
   * Closes the connection with a last answer, to a request that could not be read, after those to the requests before.
   *
   * @param answer The whole answer, head and body, or nothing to be said.
   */
  endWith(answer: Uint8Array | undefined): void {
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
      this.#exchanges.delete(newest);
    }
    const last = [...this.#exchanges].at(-1);
    if (last === undefined) this.#close(answer);
    else last.outgoing.once("close", () => this.#close(answer));
  }

  #close(answer: Uint8Array): void {
    if (!this.#socket.writable) {
      this.#socket.destroy();
      return;
    }
    this.#socket.end(answer);
    // A connection that is closed with something unread is reset, and with that the answer may be lost.
    this.#socket.resume();
    clearTimeout(this.#timer);
    if (this.#socket.readableEnded) return;
    this.#timer = setTimeout(() => this.#socket.destroy(), LINGER);
  }

  #onClose(): void {
    clearTimeout(this.#timer);
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
    const newest = this.#newest;
    if (newest !== undefined && !newest.incoming.complete) {
      // The rest of the request will never come. If it was not wanted, its answer is on its way.
      if (!newest.outgoing.headersSent) this.#socket.destroy();
      return;
    }
    this.#probe(FIRST_PROBE);
  }

  #probe(delay: number): void {
    const [current] = this.#exchanges;
    if (current === undefined || this.#isEnding || this.#socket.destroyed) return;
    if (current.probe()) {
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
