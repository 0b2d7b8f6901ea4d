import { ChatModelError } from "../../types/mod.ts";
import {
  checkAmounts,
  exceededAlone,
  type LimitAmounts,
  type LimitDecision,
  type LimitReservation,
  type Limits,
  type LimitStore,
} from "../limits/mod.ts";
import { type RedisClient, RedisConnection, RedisLostError, type RedisOptions } from "./_connection.ts";
import { CHANGE, RESERVE } from "./_limit_scripts.ts";
import { Script } from "./_script.ts";
import { logWarning } from "./_warning.ts";

/** Options for {@linkcode RedisLimitStore}. */
export interface RedisLimitStoreOptions extends RedisOptions {
  /**
   * What happens to requests while Redis is lost: `"open"` lets all of them through, `"closed"` refuses all of them
   * with status 503 and code `limit_store_lost`. @default {"closed"}
   */
  readonly onLost?: "open" | "closed";
}

const UNKNOWN = { usedRequests: undefined, usedTokens: undefined, resetRequests: undefined, resetTokens: undefined };

/** When to come back while Redis is lost, in milliseconds. */
const LOST_RETRY_AFTER = 1000;

/** What was granted, with what is needed to give it back. */
class RedisReservation implements LimitReservation {
  readonly granted = true;
  readonly usedRequests: number | undefined;
  readonly usedTokens: number | undefined;
  readonly resetRequests: number | undefined;
  readonly resetTokens: number | undefined;
  readonly subject: string;
  readonly amounts: LimitAmounts;
  /** The span in which it counts; `undefined` if Redis was lost, and it counts nowhere. */
  readonly place: { readonly generation: string; readonly span: string } | undefined;
  /** Whether it is neither settled nor refunded yet. */
  open = true;

  constructor(
    subject: string,
    amounts: LimitAmounts,
    state: Pick<LimitReservation, keyof typeof UNKNOWN>,
    place?: { readonly generation: string; readonly span: string },
  ) {
    this.subject = subject;
    this.amounts = amounts;
    this.usedRequests = state.usedRequests;
    this.usedTokens = state.usedTokens;
    this.resetRequests = state.resetRequests;
    this.resetTokens = state.resetTokens;
    this.place = place;
  }
}

/**
 * Counts in Redis, for all processes that use the same one, with the same `prefix`. One round trip for each reservation;
 * Redis' clock is the only one. Needs Redis 5 or newer, or what speaks like it.
 *
 * While Redis cannot be reached, or does not answer within `commandTimeout`, requests pass or are refused as `onLost`
 * says; what they use then counts nowhere. The connection restores itself.
 */
export class RedisLimitStore implements LimitStore, AsyncDisposable {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #isOpen: boolean;
  readonly #reserve = new Script(RESERVE);
  readonly #change = new Script(CHANGE);

  /**
   * Begins to connect.
   *
   * @param options Where Redis is, and what to do without it.
   * @throws {ChatModelError} With code `invalid_option`, if an option is not right.
   */
  constructor(options: RedisLimitStoreOptions) {
    const { prefix = "chat-model:", onLost = "closed", onWarning = logWarning } = options;
    if (onLost !== "open" && onLost !== "closed") {
      throw new ChatModelError(
        `Cannot make a store as "onLost" must be "open" or "closed": it is ${JSON.stringify(onLost)}`,
        { code: "invalid_option" },
      );
    }
    const effect = onLost === "open" ? "let through without limits" : "refused";
    this.#isOpen = onLost === "open";
    this.#prefix = `${prefix}limit:`;
    const connection = new RedisConnection(options, {
      onLost: (reason) =>
        onWarning(
          `Redis at ${connection.address} is lost: ${reason}. Requests with limits are ${effect} until it is back`,
        ),
      onBack: () => onWarning(`Redis at ${connection.address} is back: limits hold again`),
    });
    this.#connection = connection;
  }

  /** Whether Redis is lost at the moment, as far as is known. */
  get lost(): boolean {
    return this.#connection.lost;
  }

  /**
   * Reserves what a request will use, as far as is known.
   *
   * @param subject Whose limits they are.
   * @param amounts What the request will use.
   * @param limits What is allowed; one that is no number allows nothing.
   * @returns Whether it may run.
   * @throws {ChatModelError} By rejecting, with status 503 and code `limit_store_lost`, if Redis is lost and requests
   * are refused then.
   * @throws {RangeError} By rejecting, if an amount is negative or no number.
   */
  async reserve(subject: string, amounts: LimitAmounts, limits: Limits): Promise<LimitDecision> {
    checkAmounts(amounts);
    if (exceededAlone(amounts, limits) !== undefined) return { granted: false, ...UNKNOWN, retryAfter: Infinity };
    const { requestsPerMinute = "", tokensPerMinute = "" } = limits;
    const given = [amounts.requests, amounts.tokens, requestsPerMinute, tokensPerMinute].map(String);
    const read = (answer: unknown) => readDecision(answer, subject, amounts);
    try {
      const answer = await this.#connection.run(
        (client) => this.#reserve.run(client, [this.#prefix + subject], given),
        async (answer, client) => {
          const decision = read(answer);
          if (decision instanceof RedisReservation) await this.#give(client, decision, amounts, 0);
        },
      );
      return read(answer);
    } catch (error) {
      if (!(error instanceof RedisLostError)) throw error;
      if (this.#isOpen) return new RedisReservation(subject, amounts, UNKNOWN);
      throw new ChatModelError(
        "Cannot check the limits: the store that counts them is lost. Please try again in " +
          `${LOST_RETRY_AFTER / 1000}s`,
        { code: "limit_store_lost", retryAfter: LOST_RETRY_AFTER, cause: error },
      );
    }
  }

  /**
   * Corrects a reservation to what was really used. Does nothing while Redis is lost, which `onWarning` tells.
   *
   * @param reservation What this store granted.
   * @param actualTokens Tokens that were really used.
   * @throws {RangeError} By rejecting, if that is negative or no number.
   * @throws {TypeError} By rejecting, if another kind of store made the reservation.
   */
  async settle(reservation: LimitReservation, actualTokens: number): Promise<void> {
    checkAmounts({ requests: 0, tokens: actualTokens });
    const own = ownReservation(reservation);
    const excess = actualTokens - own.amounts.tokens;
    if (excess === 0) own.open = false;
    else await this.#correct(own, { requests: 0, tokens: Math.max(0, -excess) }, Math.max(0, excess));
  }

  /**
   * Gives a whole reservation back. Does nothing while Redis is lost, which `onWarning` tells.
   *
   * @param reservation What this store granted.
   * @throws {TypeError} By rejecting, if another kind of store made the reservation.
   */
  async refund(reservation: LimitReservation): Promise<void> {
    const own = ownReservation(reservation);
    await this.#correct(own, own.amounts, 0);
  }

  /** Ends the connection; requests pass or are refused from then on as while Redis is lost. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Ends the connection, as {@linkcode RedisLimitStore.close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #correct(own: RedisReservation, back: LimitAmounts, excess: number): Promise<void> {
    if (!own.open) return;
    own.open = false;
    if (own.place === undefined) return;
    try {
      await this.#connection.run((client) => this.#give(client, own, back, excess));
    } catch (error) {
      // The connection has told of it. What was reserved runs out within a minute.
      if (!(error instanceof RedisLostError)) throw error;
    }
  }

  /** Gives back what was reserved, and counts tokens that were used beyond it. */
  async #give(client: RedisClient, own: RedisReservation, back: LimitAmounts, excess: number): Promise<void> {
    const { generation = "", span = "" } = own.place ?? {};
    const given = [generation, span, String(back.requests), String(back.tokens), String(excess)];
    await this.#change.run(client, [this.#prefix + own.subject], given);
  }
}

function ownReservation(reservation: LimitReservation): RedisReservation {
  if (reservation instanceof RedisReservation) return reservation;
  throw new TypeError("Cannot change a reservation that another kind of store made: hand it to that store");
}

/** Reads what the script gives: texts, times in microseconds. */
function readDecision(answer: unknown, subject: string, amounts: LimitAmounts): LimitDecision {
  if (!Array.isArray(answer) || answer.length !== 8) throw new RedisLostError("the answer cannot be read");
  const [granted, usedRequests, usedTokens, resetRequests, resetTokens, wait, generation, span] = answer.map(String);
  const state = {
    usedRequests: Number(usedRequests),
    usedTokens: Number(usedTokens),
    resetRequests: Number(resetRequests) / 1000,
    resetTokens: Number(resetTokens) / 1000,
  };
  if (granted !== "1") return { granted: false, ...state, retryAfter: Number(wait) / 1000 };
  return new RedisReservation(subject, amounts, state, { generation: generation ?? "", span: span ?? "" });
}
