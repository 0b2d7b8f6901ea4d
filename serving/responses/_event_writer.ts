/** Writes the events of a streamed response as frames of an event stream. */
import type { ChatCompletionChunk, ChatModelError } from "../../types/mod.ts";
import type { FrameWriter } from "../../streaming/encode_sse.ts";
import { isTooLong, severalLines } from "../../streaming/sse_data.ts";
import type { ResponseEvents } from "./_response_events.ts";
import type { ResponseEvent, ResponseObject } from "./_wire.ts";

/** What a stream of events needs of its surroundings. */
export interface EventWriterOptions {
  /** Keeps the response; the last event, which tells of its end, waits for that. */
  readonly keep: (response: ResponseObject) => void | Promise<void>;
  /** Makes what is sent of a failure. */
  readonly toError: (error: unknown) => ChatModelError;
}

/** Numbers events and writes them. */
export class EventWriter implements FrameWriter {
  readonly #events: ResponseEvents;
  readonly #options: EventWriterOptions;
  #number = 0;

  constructor(events: ResponseEvents, options: EventWriterOptions) {
    this.#events = events;
    this.#options = options;
  }

  begin(): string {
    return this.#write(this.#events.begin());
  }

  encode(chunk: ChatCompletionChunk): string {
    return this.#write(this.#events.push(chunk));
  }

  end(): string | Promise<string> {
    const events: ResponseEvent[] = [];
    const response = this.#events.end(events);
    events.push({ type: `response.${response.status}`, response });
    const kept = this.#options.keep(response);
    return kept === undefined ? this.#write(events) : kept.then(() => this.#write(events));
  }

  fail(error: unknown): string {
    return this.#write(this.#events.fail(this.#options.toError(error)));
  }

  #write(events: readonly ResponseEvent[]): string {
    let text = "";
    for (const { type, ...members } of events) text += frame({ type, sequence_number: this.#number++, ...members });
    return text;
  }
}

/** One event. A long text stays in one line however long it is: this API wants every text once more as a whole. */
function frame(event: ResponseEvent): string {
  const line = `data: ${JSON.stringify(event)}`;
  return `event: ${event.type}\n${isTooLong(line) ? severalLines(event).join("\n") : line}\n\n`;
}
