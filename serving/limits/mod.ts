/**
 * Which requests run, which wait and which are refused.
 *
 * @module
 */
export {
  Admission,
  type AdmissionOptions,
  type AdmissionRequest,
  type LimitedKey,
  type ModelLoad,
} from "./_admission.ts";
export {
  estimatePieceTokens,
  estimatePromptTokens,
  estimateTextTokens,
  estimateTokens,
  type EstimateTokensOptions,
} from "./_estimate_tokens.ts";
export type { LimitHeader } from "./_format.ts";
export type { QueueOptions } from "./_lane.ts";
export {
  checkAmounts,
  exceededAlone,
  LIMIT_WINDOW,
  type LimitAmounts,
  type LimitDecision,
  type LimitRefusal,
  type LimitReservation,
  type Limits,
  type LimitState,
  type LimitStore,
} from "./_limit_store.ts";
export { MemoryLimitStore, type MemoryLimitStoreOptions } from "./_memory_limit_store.ts";
export { bodiesFull, isRefusal, limitHeadersOf } from "./_refusals.ts";
export { FINE_SPANS, SPAN } from "./_sliding_window.ts";
export type { Ticket } from "./_ticket.ts";
