/** A server-sent event. */
export interface SseEvent {
  /** Type of the event; absent where the server gave none, which means `message`. */
  readonly event?: string;
  /** The event's lines of data, joined by line feeds. */
  readonly data: string;
  /** The last id that the server gave, in this event or an earlier one. */
  readonly id?: string;
}
