/**
 * What several replicas of a server share, in Redis: limits, and the answers that are kept.
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
