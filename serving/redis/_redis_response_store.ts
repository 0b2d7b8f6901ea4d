import { ChatModelError } from "../../types/mod.ts";
import type { ResponseStore, StoredAnswer, StoredAnswerPage, StoredAnswerQuery } from "../response_store.ts";
import { answerKeys, DELETE_ANSWER, GET_ANSWER, LIST_HEADS, SET_ANSWER } from "./_answer_scripts.ts";
import { type RedisClient, RedisConnection, RedisLostError, type RedisOptions } from "./_connection.ts";
import { Script } from "./_script.ts";
import { matches } from "../_answer_query.ts";
import { headOf, parseAnswer, parseHead } from "./_stored_answer.ts";
import { logWarning } from "./_warning.ts";

/** Options for {@linkcode RedisResponseStore}. */
export interface RedisResponseStoreOptions extends RedisOptions {
  /** Milliseconds that an answer is kept. @default {2_592_000_000} */
  readonly lifetime?: number;
  /** Most answers to keep, all processes together. @default {1000} */
  readonly maxEntries?: number;
  /** Most bytes to keep, counted as JSON in UTF-8, all processes together. @default {67_108_864} */
  readonly maxBytes?: number;
}

const encoder = new TextEncoder();

/**
 * Keeps answers in Redis, for all processes that use the same one, with the same `prefix`. Each answer is forgotten
 * after its lifetime. When there are too many, or they are too large together, those that were kept first are forgotten.
 * An answer that is too large by itself is not kept. Needs Redis 5 or newer, or what speaks like it.
 */
export class RedisResponseStore implements ResponseStore, AsyncDisposable {
  readonly #connection: RedisConnection;
  readonly #keys: string[];
  readonly #bounds: string[];
  readonly #get = new Script(GET_ANSWER);
  readonly #set = new Script(SET_ANSWER);
  readonly #delete = new Script(DELETE_ANSWER);
  readonly #list = new Script(LIST_HEADS);

  /**
   * Begins to connect.
   *
   * @param options Where Redis is, and the limits of the store.
   * @throws {RangeError} If a limit is negative or no number.
   * @throws {ChatModelError} With code `invalid_option`, if another option is not right.
   */
  constructor(options: RedisResponseStoreOptions) {
    const { prefix = "chat-model:", lifetime = 2_592_000_000, onWarning = logWarning } = options;
    const { maxEntries = 1000, maxBytes = 67_108_864 } = options;
    for (const [name, value] of Object.entries({ lifetime, maxEntries, maxBytes })) {
      if (value >= 0 && (name !== "lifetime" || (Number.isInteger(value) && value > 0))) continue;
      const least = name === "lifetime" ? "a whole number above 0" : "at least 0";
      throw new RangeError(`Cannot make a store as "${name}" must be ${least}: it is ${value}`);
    }
    this.#keys = answerKeys(prefix);
    // Lua has no word for it.
    this.#bounds = [lifetime, maxEntries, maxBytes].map((bound) => String(Math.min(bound, Number.MAX_SAFE_INTEGER)));
    const connection = new RedisConnection(options, {
      onLost: (reason) =>
        onWarning(
          `Redis at ${connection.address} is lost: ${reason}. Answers are neither kept nor found until it is back`,
        ),
      onBack: () => onWarning(`Redis at ${connection.address} is back: answers are kept again`),
    });
    this.#connection = connection;
  }

  /** Whether Redis is lost at the moment, as far as is known. */
  get lost(): boolean {
    return this.#connection.lost;
  }

  /**
   * Gets an answer.
   *
   * @param id Its id.
   * @returns The answer; `undefined` if there is none, or none any more.
   * @throws {ChatModelError} By rejecting, with code `store_error`, if Redis is lost.
   */
  async get(id: string): Promise<StoredAnswer | undefined> {
    const text = await this.#run("read a kept answer", (client) => this.#get.run(client, this.#keys, [id]));
    return typeof text === "string" ? parseAnswer(text) : undefined;
  }

  /**
   * Keeps an answer, in the place of one of the same id, and forgets the oldest ones if there is no room.
   *
   * @param answer The answer.
   * @throws {ChatModelError} By rejecting, with code `store_error`, if Redis is lost.
   */
  async set(answer: StoredAnswer): Promise<void> {
    const text = JSON.stringify(answer);
    const size = String(encoder.encode(text).length);
    const given = [answer.id, text, JSON.stringify(headOf(answer)), size, ...this.#bounds];
    await this.#run("keep the answer", (client) => this.#set.run(client, this.#keys, given));
  }

  /**
   * Forgets an answer.
   *
   * @param id Its id.
   * @returns Whether there was one.
   * @throws {ChatModelError} By rejecting, with code `store_error`, if Redis is lost.
   */
  async delete(id: string): Promise<boolean> {
    return await this.#run("forget a kept answer", (client) => this.#delete.run(client, this.#keys, [id])) === 1;
  }

  /**
   * Lists answers by the time they were made; those of one second in the order they were kept.
   *
   * @param query Which ones.
   * @returns A page of them; an empty one if `after` is unknown.
   * @throws {ChatModelError} By rejecting, with code `store_error`, if Redis is lost.
   */
  async list(query: StoredAnswerQuery): Promise<StoredAnswerPage> {
    const { after, limit, order } = query;
    const action = "list kept answers";
    const found = readHeads(await this.#run(action, (client) => this.#list.run(client, this.#keys, [])))
      .filter(({ head }) => matches(head, query)).sort((a, b) => a.head.created - b.head.created);
    if (order === "desc") found.reverse();
    const start = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && start === 0) return { data: [], hasMore: false };
    const ids = found.slice(start, start + limit).map(({ id }) => id);
    const [bodies = ""] = this.#keys;
    const texts = ids.length === 0 ? [] : await this.#run(action, (client) => client.hmGet(bodies, ids));
    // One that was forgotten between both is no more.
    const data = texts.flatMap((text) => text === null ? [] : [parseAnswer(text)]);
    return { data, hasMore: found.length > start + limit };
  }

  /** Ends the connection; whatever is asked from then on fails. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Ends the connection, as {@linkcode RedisResponseStore.close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run<T>(action: string, command: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await this.#connection.run(command);
    } catch (cause) {
      if (!(cause instanceof RedisLostError)) throw cause;
      throw new ChatModelError(`Cannot ${action}: Redis is lost: ${cause.message}`, { code: "store_error", cause });
    }
  }
}

/** Reads what the script gives: ids in their order, and a flat list of ids and heads. */
function readHeads(answer: unknown): { readonly id: string; readonly head: ReturnType<typeof parseHead> }[] {
  const [ids, pairs]: unknown[] = Array.isArray(answer) ? answer : [];
  if (!Array.isArray(ids) || !Array.isArray(pairs)) return [];
  const heads = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) heads.set(String(pairs[i]), String(pairs[i + 1]));
  return ids.map(String).flatMap((id) => {
    const text = heads.get(id);
    return text === undefined ? [] : [{ id, head: parseHead(text) }];
  });
}
