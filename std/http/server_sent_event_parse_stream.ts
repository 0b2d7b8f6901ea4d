/**
 * `@std/http/server-sent-event-parse-stream` for development: hands on the npm mirror's code under the names and
 * types of the JSR package. Published code depends on the real `jsr:@std/http`.
 */
import * as std from "deno-std/http/server_sent_event_parse_stream.js";

/** One event of a `text/event-stream`. */
export interface ServerSentEventParsedMessage {
  event?: string;
  data?: string;
  id?: string;
  retry?: number;
  comment?: string;
}

export const ServerSentEventParseStream: new () => TransformStream<Uint8Array, ServerSentEventParsedMessage> =
  std.ServerSentEventParseStream;
