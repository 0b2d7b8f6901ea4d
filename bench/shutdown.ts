/**
 * Stops a server by SIGTERM while it is under load, again and again: `deno run -A bench/shutdown.ts [--rounds 10]`.
 * A request that the server has taken must be answered as a whole, also one that comes by a connection that was kept.
 * One that finds no server is no failure: who distributes requests sends it elsewhere. Nor is one by a new connection
 * that the system has taken but the server has not when it stops to listen: its access log says which it knows.
 *
 * Half of the clients keep their connections, half open one for each request; half of the requests are streams.
 */
import { connect } from "node:net";
import { Buffer } from "node:buffer";
import { CHAT, chatBody, flag, report, sleep, startServer } from "./_server.ts";

const rounds = flag("rounds", 5);
const clients = flag("clients", 100);
const LOAD = 1_000;

const MODEL = `export default class extends ChatModel {
  async *predictStream() {
    for (let i = 0; i < 10; i++) {
      yield "word ";
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    }
  }
}`;

let nextId = 0;

interface Counts {
  answered: number;
  /** No server was there any more. */
  refused: number;
  /** A kept connection was found closed before anything was sent by it. */
  closedBefore: number;
  /** The system had taken the connection, and the server never saw it. */
  unseen: number;
  /** Ids of requests by new connections that were broken before an answer, with what happened. */
  readonly broken: Map<string, string>;
  readonly failures: Map<string, number>;
}

/** A bare connection: it tells when it was closed, and whether anything of an answer had come. */
class Client {
  readonly #port: number;
  readonly #keepsAlive: boolean;
  #socket: ReturnType<typeof connect> | undefined;

  constructor(port: number, keepsAlive: boolean) {
    this.#port = port;
    this.#keepsAlive = keepsAlive;
  }

  /** Asks once. */
  async ask(stream: boolean, counts: Counts): Promise<boolean> {
    const kept = this.#socket;
    if (kept !== undefined && (kept.destroyed || kept.readableEnded)) {
      counts.closedBefore++;
      this.#socket = undefined;
    }
    const socket = this.#socket ?? await this.#connect();
    if (socket === undefined) {
      counts.refused++;
      return false;
    }
    const body = chatBody("Hello", stream);
    const id = `bench-${nextId++}`;
    const head = [
      `POST ${CHAT} HTTP/1.1`,
      "host: localhost",
      `x-request-id: ${id}`,
      `content-length: ${body.length}`,
    ];
    if (!this.#keepsAlive) head.push("connection: close");
    const how = this.#socket === undefined ? "new" : "kept";
    const fault = await exchange(socket, `${head.join("\r\n")}\r\n\r\n${body}`, stream);
    if (fault.problem === undefined) counts.answered++;
    else {
      const problem = `${how} connection ${fault.problem}`;
      if (how === "new" && fault.isBefore) counts.broken.set(id, problem);
      else counts.failures.set(problem, (counts.failures.get(problem) ?? 0) + 1);
    }
    if (this.#keepsAlive && fault.problem === undefined && !fault.closes) this.#socket = socket;
    else {
      this.#socket = undefined;
      socket.destroy();
    }
    return true;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Promise<ReturnType<typeof connect> | undefined> {
    return new Promise((resolve) => {
      const socket = connect(this.#port, "127.0.0.1");
      socket.on("error", () => resolve(undefined));
      socket.once("connect", () => resolve(socket));
    });
  }
}

interface Outcome {
  /** What went wrong, if anything did. */
  readonly problem?: string;
  /** Whether the answer said that it is the last of its connection. */
  readonly closes?: boolean;
  /** Whether nothing of the answer had come. */
  readonly isBefore?: boolean;
}

function exchange(socket: ReturnType<typeof connect>, request: string, stream: boolean): Promise<Outcome> {
  return new Promise((resolve) => {
    let received = "";
    const settle = (outcome: Outcome) => {
      socket.removeAllListeners("data");
      socket.removeAllListeners("end");
      socket.removeAllListeners("close");
      resolve(outcome);
    };
    const lost = (how: string) => () =>
      settle({
        problem: `${how} ${received === "" ? "before the answer" : "in the answer"}, stream: ${stream}`,
        isBefore: received === "",
      });
    socket.on("data", (bytes: Uint8Array) => {
      received += Buffer.from(bytes).toString("latin1");
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = received.slice(0, end).toLowerCase();
      const closes = head.includes("\r\nconnection: close");
      if (!head.startsWith("http/1.1 200")) {
        return settle({ problem: head.slice(9, 12), closes });
      }
      const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
      const isWhole = length === undefined
        ? received.endsWith("data: [DONE]\n\n\r\n0\r\n\r\n")
        : received.length === end + 4 + Number(length);
      if (isWhole) settle({ closes });
    });
    socket.on("end", lost("closed"));
    socket.on("close", lost("broken"));
    socket.write(request);
  });
}

const total: Counts = { answered: 0, refused: 0, closedBefore: 0, unseen: 0, broken: new Map(), failures: new Map() };
const codes = new Map<number, number>();
const times: number[] = [];
for (let round = 0; round < rounds; round++) {
  const log = await Deno.makeTempFile();
  await using server = await startServer({ model: MODEL, flags: ["--access-log", log] });
  let isOver = false;
  const running = Array.from({ length: clients }, async (_, i) => {
    const client = new Client(server.port, i % 2 === 0);
    while (!isOver) {
      if (!await client.ask(i % 4 < 2, total)) break;
      // Now and then a kept connection is idle for a while.
      if (i % 8 < 2) await sleep(Math.random() * 100);
    }
    client.close();
  });
  await sleep(LOAD + Math.random() * 200);
  const begin = performance.now();
  server.kill("SIGTERM");
  const { code } = await server.ended;
  times.push(performance.now() - begin);
  isOver = true;
  codes.set(code, (codes.get(code) ?? 0) + 1);
  await Promise.all(running);
  const lines = await Deno.readTextFile(log);
  for (const [id, problem] of total.broken) {
    if (lines.includes(`"${id}"`)) total.failures.set(problem, (total.failures.get(problem) ?? 0) + 1);
    else total.unseen++;
  }
  total.broken.clear();
  await Deno.remove(log);
}
const missed: string[] = [];
for (const [problem, count] of total.failures) missed.push(`${count} requests: ${problem}`);
if ([...codes.keys()].some((code) => code !== 0)) missed.push(`exit codes ${[...codes.keys()]}`);
Deno.exit(report(`SIGTERM under load, ${rounds} rounds, ${clients} clients`, {
  "answered": `${total.answered}`,
  "failed": `${[...total.failures.values()].reduce((sum, count) => sum + count, 0)}`,
  "found no server": `${total.refused}`,
  "taken by the system only": `${total.unseen}`,
  "kept connections found closed": `${total.closedBefore}`,
  "ms from signal to end": times.map((time) => time.toFixed(0)).join(", "),
}, missed));
