/**
 * What several replicas of a server share, in Redis: limits, and the answers that are kept.
 *
 * ```ts ignore
 * import { RedisLimitStore, RedisResponseStore } from "@chatmodel/chat-model/redis";
 *
 * const url = "redis://127.0.0.1:6379";
 * await using limitStore = new RedisLimitStore({ url, onLost: "closed" });
 * await using responseStore = new RedisResponseStore({ url });
 * ```
 *
 * @module
 */
export type { RedisOptions } from "./_connection.ts";
export { RedisLimitStore, type RedisLimitStoreOptions } from "./_redis_limit_store.ts";
export { RedisResponseStore, type RedisResponseStoreOptions } from "./_redis_response_store.ts";
export type {
  LimitAmounts,
  LimitDecision,
  LimitRefusal,
  LimitReservation,
  Limits,
  LimitState,
  LimitStore,
} from "../limits/mod.ts";
export type {
  ResponseStore,
  StoredAnswer,
  StoredAnswerPage,
  StoredAnswerQuery,
  StoredObject,
} from "../response_store.ts";
