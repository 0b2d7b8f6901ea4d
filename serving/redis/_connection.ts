// deno-lint-ignore no-import-prefix -- only who asks for Redis is to have its client
import { createClient } from "npm:redis@^6.3.1";
import { ChatModelError } from "../../types/mod.ts";

/** How to reach Redis. */
export interface RedisOptions {
  /** Where it is, such as `redis://127.0.0.1:6379`, with user and password where needed; `rediss:` for TLS. */
  readonly url: string | URL;
  /** What its keys begin with. @default {"chat-model:"} */
  readonly prefix?: string;
  /** Milliseconds that an answer of Redis may take; after that it counts as lost. @default {250} */
  readonly commandTimeout?: number;
  /** Told once when Redis is lost, and once when it is back. Default: writes it to the console. */
  readonly onWarning?: (message: string) => void;
}

/** For so many times its time limit Redis is not asked again when it did not answer: not everyone is to wait for it. */
const PAUSE = 4;
/** After so many times its time limit without an answer the connection is made anew: it may lead nowhere any more. */
const GIVE_UP = 20;
/** Shortest and longest time between tries to connect, in milliseconds. */
const RECONNECT_DELAY = { shortest: 50, longest: 1000 } as const;

/** What speaks to Redis. */
export type RedisClient = ReturnType<typeof makeClient>;

/** Redis is lost: there is no connection, it does not answer in time, or it refuses. */
export class RedisLostError extends Error {
  override name = "RedisLostError";
}

/** A connection that restores itself, never lets anyone wait long, and says once when it is lost and once when it is back. */
export class RedisConnection {
  /** Host and port, for messages. */
  readonly address: string;
  readonly #url: string;
  readonly #commandTimeout: number;
  readonly #onLost: (reason: string) => void;
  readonly #onBack: () => void;
  #client: RedisClient;
  /** Settles when the client has connected, or has failed to. */
  #connecting: Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reconnectDelay: number = RECONNECT_DELAY.shortest;
  /** Until it has connected, or has failed to, for the first time. */
  #first: PromiseWithResolvers<void> | undefined;
  #lost: string | undefined;
  #pausedUntil = 0;
  /** Since when it has not answered. */
  #silentSince: number | undefined;
  #closed = false;

  constructor(
    { url, commandTimeout = 250 }: RedisOptions,
    events: { readonly onLost: (reason: string) => void; readonly onBack: () => void },
  ) {
    const parsed = parseUrl(url);
    if (!(commandTimeout > 0 && commandTimeout < 2 ** 31)) {
      throw new ChatModelError(
        `Cannot connect to Redis as "commandTimeout" must be a number of milliseconds above 0: it is ${commandTimeout}`,
        { code: "invalid_option" },
      );
    }
    this.address = `${parsed.hostname}:${parsed.port || 6379}`;
    this.#url = parsed.href;
    this.#commandTimeout = commandTimeout;
    this.#onLost = events.onLost;
    this.#onBack = events.onBack;
    this.#first = Promise.withResolvers();
    this.#client = makeClient(this.#url);
    this.#connecting = this.#connect(this.#client);
  }

  /** Whether it is lost at the moment, as far as is known. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * Asks Redis for something.
   *
   * @param command What to ask.
   * @param onLate Called if the answer comes when nobody waits for it any more, to undo what was done for nobody; what
   * it asks for is asked whether Redis counts as lost or not.
   * @throws {RedisLostError} If there is no answer.
   */
  async run<T>(
    command: (client: RedisClient) => Promise<T>,
    onLate?: (answer: T, client: RedisClient) => Promise<unknown>,
  ): Promise<T> {
    const client = this.#client;
    let asked: Promise<T> | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      if (this.#closed) throw new Error("the connection was closed");
      if (this.#lost !== undefined) this.#probe(this.#lost);
      const late = new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), this.#commandTimeout);
      });
      if (this.#first !== undefined) await Promise.race([this.#first.promise, late]);
      if (!client.isReady) throw new Error(this.#lost ?? "there is no connection yet");
      asked = command(client);
      const answer = await Promise.race([asked.then((value) => ({ value })), late]);
      if (answer === "late") {
        this.#fallSilent();
        throw new Error(`there was no answer within ${this.#commandTimeout} ms`);
      }
      this.#found();
      return answer.value;
    } catch (error) {
      if (error instanceof RedisLostError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      // Who asked is told of the failure; whether the answer comes after all, and can be undone, is nobody's concern.
      asked?.then((answer) => onLate?.(answer, client)).catch(() => {});
      this.#lose(reason);
      throw new RedisLostError(reason, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the connection; what is asked afterwards fails. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#first?.resolve();
    clearTimeout(this.#timer);
    const client = this.#client;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, this.#commandTimeout));
    // A try to connect cannot be called off; answers that are under way may still come.
    await Promise.race([
      this.#connecting.then(() => client.isReady ? client.close() : undefined).catch(() => {}),
      limit,
    ]);
    clearTimeout(timer);
    client.destroy();
  }

  /** Tries to connect; never rejects, as the client's events tell of all. */
  async #connect(client: RedisClient): Promise<void> {
    client.on("error", (error: Error) => {
      if (client === this.#client) this.#lose(error.message || error.name);
    });
    client.on("ready", () => {
      if (client !== this.#client) return;
      clearTimeout(this.#timer);
      this.#reconnectDelay = RECONNECT_DELAY.shortest;
      this.#found();
    });
    // The client could try again by itself, but then could not be closed while it waits for that.
    client.on("terminated", () => {
      if (client !== this.#client || this.#closed) return;
      this.#replaceIn(this.#reconnectDelay);
      this.#reconnectDelay = Math.min(RECONNECT_DELAY.longest, this.#reconnectDelay * 2);
    });
    this.#replaceIn(GIVE_UP * this.#commandTimeout);
    try {
      await client.connect();
    } catch {
      // Told by "error" and "terminated".
    }
  }

  /** Makes the connection anew after a time, unless there is one by then. */
  #replaceIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const old = this.#client;
      this.#client = makeClient(this.#url);
      this.#connecting = this.#connect(this.#client);
      old.destroy();
    }, milliseconds);
  }

  /** While it is lost, one of those who ask finds out whether it is back; the others need not wait for that. */
  #probe(reason: string): void {
    const now = performance.now();
    if (now < this.#pausedUntil) throw new RedisLostError(reason);
    this.#pausedUntil = now + PAUSE * this.#commandTimeout;
  }

  /** It did not answer in time. */
  #fallSilent(): void {
    const now = performance.now();
    this.#pausedUntil = now + PAUSE * this.#commandTimeout;
    this.#silentSince ??= now;
    if (now - this.#silentSince < GIVE_UP * this.#commandTimeout || this.#closed) return;
    this.#silentSince = undefined;
    this.#replaceIn(0);
  }

  #lose(reason: string): void {
    this.#first?.resolve();
    this.#first = undefined;
    if (this.#closed) return;
    const isNew = this.#lost === undefined;
    this.#lost = reason;
    if (isNew) this.#onLost(reason);
  }

  #found(): void {
    this.#first?.resolve();
    this.#first = undefined;
    this.#silentSince = undefined;
    this.#pausedUntil = 0;
    if (this.#lost === undefined || this.#closed) return;
    this.#lost = undefined;
    this.#onBack();
  }
}

function makeClient(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    socket: { reconnectStrategy: false },
  });
}

/** Never quotes it: it may hold a password. */
function parseUrl(url: string | URL): URL {
  const parsed = URL.parse(url);
  if (parsed !== null && ["redis:", "rediss:"].includes(parsed.protocol) && parsed.hostname !== "") return parsed;
  throw new ChatModelError(
    'Cannot connect to Redis as "url" is no address of one: write it like "redis://127.0.0.1:6379"',
    { code: "invalid_option" },
  );
}
