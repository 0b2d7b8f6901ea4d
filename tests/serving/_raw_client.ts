/** A client on a bare socket: it leaves when it is told to, garbage collection or not. */
import { type Asking, requestBody } from "./_stack.ts";

const decoder = new TextDecoder();

/** One request on a connection of its own. */
export class RawClient implements AsyncDisposable {
  /** What came so far, with the head and the marks of the chunks. */
  received = "";
  readonly #connection: Deno.TcpConn;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;
  #onData = (): void => {};

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /**
   * Connects and sends a request.
   *
   * @param port Where the server is.
   * @param asking The request, and whether the answer is read at once.
   */
  static async ask(port: number, asking: Asking & { readonly reads?: boolean }): Promise<RawClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    const body = new TextEncoder().encode(requestBody(asking));
    const head = [
      `POST ${asking.path ?? "/v1/chat/completions"} HTTP/1.1`,
      "host: 127.0.0.1",
      "content-type: application/json",
      `content-length: ${body.length}`,
      "connection: close",
    ];
    const request = new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${decoder.decode(body)}`);
    for (let sent = 0; sent < request.length;) sent += await connection.write(request.subarray(sent));
    const client = new RawClient(connection);
    if (asking.reads ?? true) client.read();
    return client;
  }

  /** Begins to read what comes. */
  read(): void {
    this.#reading = this.#read();
  }

  /** Resolves when something came that holds the text. */
  async got(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      if (this.#closed) throw new Error(`The connection was closed before ${JSON.stringify(text)} came`);
      await new Promise<void>((resolve) => this.#onData = resolve);
    }
  }

  /** Resolves when the other side has closed the connection. */
  async ended(): Promise<void> {
    await this.#reading;
  }

  /** Leaves. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#onData();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const length = await this.#connection.read(buffer);
        if (length === null) break;
        this.received += decoder.decode(buffer.subarray(0, length), { stream: true });
        this.#onData();
      }
    } catch (error) {
      // What a read that is waiting makes of our own leaving.
      if (!this.#closed) throw error;
    }
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#reading;
  }
}
