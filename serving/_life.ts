/** How a server comes to its end. */
import { OverloadedError } from "../types/mod.ts";
import type { App } from "./app.ts";
import type { ListeningServer } from "./listen.ts";

/** Milliseconds that clients get to take the end of their answers, before their connections are closed. */
const CLOSING_TIME = 1_000;

/**
 * Milliseconds in which probes see that the server is not ready, and clients that keep connections hear that they end:
 * more than a request takes to come here, and little to wait for.
 */
const LINGER = 500;

/** Milliseconds that what tells of requests, such as a log, gets to write what it still has. */
const FLUSH_TIME = 2_000;

/** Exit code of a process that a signal ended, as shells have it: 128 and the signal's number. */
const EXIT_CODES: { readonly [signal: string]: number } = { SIGINT: 130, SIGTERM: 143, SIGBREAK: 149 };

/** What is to be ended. */
export interface Life {
  readonly server: ListeningServer;
  readonly app: App;
  /** Milliseconds that running answers get to finish. */
  readonly drainTimeout: number;
  /** Writes what is not written yet, and closes what is open. */
  readonly close: () => Promise<void>;
}

/**
 * Ends the process on Ctrl-C and SIGTERM: wants no more requests, takes none, lets answers finish for a while, ends the
 * rest with an error, writes what there is to write, and exits with code 0. A second signal ends it at once.
 *
 * @param life What is to be ended.
 */
export async function exitOnSignal({ server, app, drainTimeout, close }: Life): Promise<never> {
  let isStopping = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const closing = Promise.withResolvers<void>();
  const cut = () => {
    app.abort(new OverloadedError("Cannot finish the answer: the server stops", { code: "server_stopping" }));
    // Who neither sends the rest of a request nor reads an answer must not keep the server from stopping.
    timer = setTimeout(closing.resolve, CLOSING_TIME);
  };
  const stop = (signal: Deno.Signal) => {
    if (isStopping) Deno.exit(EXIT_CODES[signal]);
    isStopping = true;
    app.drain();
    timer = setTimeout(cut, drainTimeout);
    server.shutdown({ linger: Math.min(LINGER, drainTimeout) });
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, () => stop(signal));
  await Promise.race([server.finished, closing.promise]);
  clearTimeout(timer);
  await Promise.race([close(), new Promise((resolve) => setTimeout(resolve, FLUSH_TIME))]);
  return Deno.exit(0); // A model may have left timers or connections, for which the process would wait.
}
