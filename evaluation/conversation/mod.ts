/**
 * Conversations of several turns: simulated, replayed, and scored turn by turn.
 *
 * @module
 */
export { perTurn, type PerTurnOptions } from "./per_turn.ts";
export {
  type ConversationEnd,
  type ConversationSettings,
  type HeldConversation,
  replayConversation,
  type ReplayOptions,
  simulateConversation,
  type SimulateOptions,
  splitConversation,
} from "./simulate.ts";
export { modelUser, type ModelUserOptions, scriptedUser } from "./users.ts";
