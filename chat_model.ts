import type { ChatMessage, ChatParams } from "./types/mod.ts";
import type { PredictPart, PredictResult } from "./streaming/mod.ts";

/** What surrounds one call of a model. */
export interface ModelContext {
  /**
   * Fires when no one waits for the answer any more: the client left, a time limit passed, or the server stops.
   * Hand it to every `fetch` and wait.
   */
  readonly signal: AbortSignal;
  /** Id of the request, as in the `x-request-id` header. */
  readonly requestId: string;
}

/** SKELETON */
export abstract class ChatModel {
  loadContext(_context: ModelContext): void | Promise<void> {}
  predict(
    _context: ModelContext,
    _messages: readonly ChatMessage[],
    _params: ChatParams,
  ): PredictResult | Promise<PredictResult> {
    throw new Error("skeleton");
  }
  predictStream(
    _context: ModelContext,
    _messages: readonly ChatMessage[],
    _params: ChatParams,
  ): AsyncIterable<PredictPart> | Iterable<PredictPart> {
    throw new Error("skeleton");
  }
}
