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

/** Milliseconds for which Redis is not asked again when it did not answer in time, so that not everyone waits for it. */
const PAUSE = 1000;
/** Milliseconds without an answer after which the connection is made anew: it may lead nowhere any more. */
const GIVE_UP = 5000;
/** Longest time between tries to connect, in milliseconds. */
const MAX_RECONNECT_DELAY = 1000;

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
    this.#client = this.#connect();
  }

  /** Whether it is lost at the moment, as far as is known. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * Asks Redis for something.
   *
   * @param command What to ask.
   * @param onLate Called if the answer comes when nobody waits for it any more.
   * @throws {RedisLostError} If there is no answer.
   */
  async run<T>(command: (client: RedisClient) => Promise<T>, onLate?: (answer: T) => void): Promise<T> {
    let asked: Promise<T> | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      if (this.#closed) throw new Error("the connection was closed");
      if (this.#lost !== undefined && performance.now() < this.#pausedUntil) throw new RedisLostError(this.#lost);
      const late = new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), this.#commandTimeout);
      });
      if (this.#first !== undefined) await Promise.race([this.#first.promise, late]);
      if (!this.#client.isReady) throw new Error(this.#lost ?? "there is no connection yet");
      asked = command(this.#client);
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
      // Who asked is told of the failure; when the answer comes after all, it is for `onLate`, and else for nobody.
      asked?.then(onLate, () => {});
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
    const client = this.#client;
    if (!client.isReady) {
      client.destroy();
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, this.#commandTimeout));
    await Promise.race([client.close().catch(() => {}), limit]);
    clearTimeout(timer);
    if (client.isOpen) client.destroy();
  }

  #connect(): RedisClient {
    const client = makeClient(this.#url);
    client.on("error", (error: Error) => {
      if (client === this.#client) this.#lose(error.message || error.name);
    });
    client.on("ready", () => {
      if (client !== this.#client) return;
      this.#pausedUntil = 0;
      this.#found();
    });
    // It fails only when it is closed or replaced: else it tries on, and each failed try is an "error" above.
    client.connect().catch(() => {});
    return client;
  }

  /** It did not answer in time. */
  #fallSilent(): void {
    const now = performance.now();
    this.#pausedUntil = now + PAUSE;
    this.#silentSince ??= now;
    if (now - this.#silentSince < GIVE_UP || this.#closed) return;
    this.#silentSince = undefined;
    const old = this.#client;
    this.#client = this.#connect();
    old.destroy();
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
    socket: {
      connectTimeout: 2000,
      reconnectStrategy: (retries: number) => Math.min(MAX_RECONNECT_DELAY, 50 * 2 ** Math.min(retries, 10)),
    },
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
