/**
 * Conversations of several turns: simulated, replayed, and scored turn by turn.
 *
 * @module
 */
export { perTurn, type PerTurnOptions } from "./per_turn.ts";
export type { ConversationEnd, ConversationSettings, HeldConversation } from "./held_conversation.ts";
export { replayConversation, type ReplayOptions, splitConversation } from "./replay.ts";
export { simulateConversation, type SimulateOptions } from "./simulate.ts";
export { modelUser, type ModelUserOptions, scriptedUser } from "./users.ts";
