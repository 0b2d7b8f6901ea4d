/** A server and bare connections to it, for what no client would send. */
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import {
  type AppModels,
  type AppOptions,
  createApp,
  listen,
  type ListeningServer,
  type ModelDirectory,
} from "../../serve.ts";
import { within } from "./_stack.ts";

/** A running server. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly server: ListeningServer;
}

/** Starts a server. */
export async function start(
  options: AppOptions = {},
  models: AppModels | ModelDirectory = { demo: DemoChatModel },
): Promise<Listening> {
  const server = await listen(createApp(models, options), { port: 0 });
  return {
    port: server.addr.port,
    server,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
    },
  };
}

const encoder = new TextEncoder();

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  /** The head, with its first line. */
  readonly head: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A connection that is kept for several requests. */
export class Connection implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #decoder = new TextDecoder();
  #received = "";
  #isOpen = true;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects. */
  static async open(port: number): Promise<Connection> {
    return new Connection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends text or bytes. */
  async send(data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === "string" ? encoder.encode(data) : data;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#connection.write(bytes));
  }

  /** Closes the side that sends. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Reads up to a text, and gives what came before it and itself. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (!await this.#read()) {
        throw new Error(`The connection was closed before ${JSON.stringify(text)}: ${this.#received}`);
      }
    }
    return this.#take(this.#received.indexOf(text) + text.length);
  }

  /** Reads until the other side closes the connection, and gives all that came. */
  async toEnd(): Promise<string> {
    while (await this.#read());
    return this.#take(this.#received.length);
  }

  /** Reads an answer with a length, or without a body. Answers with 1xx before it are skipped. */
  async answer(options: { readonly isHead?: boolean } = {}): Promise<WireAnswer> {
    const head = await this.until("\r\n\r\n");
    const [firstLine = "", ...lines] = head.trimEnd().split("\r\n");
    const status = Number(firstLine.split(" ")[1]);
    if (status < 200) return await this.answer(options);
    const headers = new Headers(lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }));
    const length = options.isHead ? 0 : Number(headers.get("content-length") ?? 0);
    while (encoder.encode(this.#received).length < length) {
      if (!await this.#read()) throw new Error(`The connection was closed in the body: ${this.#received}`);
    }
    // All texts here are ASCII, or read by `until`.
    return { status, head, headers, body: this.#take(length) };
  }

  /** Leaves. */
  close(): void {
    if (this.#isOpen) this.#connection.close();
    this.#isOpen = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await within(this.#connection.read(buffer), `more than ${JSON.stringify(this.#received)}`);
    if (count === null) return false;
    this.#received += this.#decoder.decode(buffer.subarray(0, count), { stream: true });
    return true;
  }

  #take(length: number): string {
    const taken = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return taken;
  }
}

/** A whole request with a body. */
export function post(path: string, body: string, length: number = encoder.encode(body).length): string {
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

/** A request without a body: its first line without the version, then headers besides the host. */
export function plain(line: string, ...headers: readonly string[]): string {
  return `${[`${line} HTTP/1.1`, "host: localhost", ...headers].join("\r\n")}\r\n\r\n`;
}

/** The body of a small request. */
export const HELLO: string = JSON.stringify({ messages: [{ role: "user", content: "Hello there, old friend" }] });
