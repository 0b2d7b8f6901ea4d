/**
 * What several replicas of a server share, in Redis: limits, and the answers that are kept.
 *
 * @module
 */
export type { RedisOptions } from "./_connection.ts";
export { RedisLimitStore, type RedisLimitStoreOptions } from "./_redis_limit_store.ts";
