/** What the tests of the Responses API share. */
import { assert } from "@std/assert";
import { ServerSentEventParseStream } from "@std/http/server-sent-event-parse-stream";
import type { App } from "../../../serve.ts";
import { type Answered, post, send } from "../_app.ts";
import { validateBody } from "../../conformance_openai/_schema.ts";

/** An event of a streamed response. */
// deno-lint-ignore no-explicit-any -- tests look at events of many shapes
export type Event = Record<string, any>;

/** Posts a body to `/v1/responses`; what comes must be a response as OpenAI's schema has it, or an error. */
export async function respond(app: App, body: unknown): Promise<Answered> {
  const answer = await post(app, body, { path: "/v1/responses" });
  validateBody(answer.status === 200 ? "Response" : "ErrorResponse", answer.json);
  return answer;
}

/** Posts a body and reads the events, each of which must be as OpenAI's schema has it. */
export async function stream(app: App, body: Record<string, unknown>): Promise<Event[]> {
  const answer = await post(app, { ...body, stream: true }, { path: "/v1/responses" });
  assert(answer.status === 200, answer.text);
  return await readEvents(answer.text);
}

/** The events in an event stream. */
export async function readEvents(text: string): Promise<Event[]> {
  const { body } = new Response(text);
  assert(body);
  const parts = await Array.fromAsync(body.pipeThrough(new ServerSentEventParseStream()));
  const frames = parts.filter(({ event }) => event !== undefined); // The others are comments.
  return frames.map(({ event, data }, i) => {
    const parsed: Event = JSON.parse(data ?? "");
    assert(parsed["type"] === event, "The event is named as in its data");
    assert(parsed["sequence_number"] === i, "Events are numbered");
    validateBody("ResponseStreamEvent", parsed);
    return parsed;
  });
}

/** Gets what is below `/v1/responses`. */
export function get(app: App, path: string): Promise<Answered> {
  return send(app, `/v1/responses/${path}`);
}

/** Types of events in their order, of equal ones in a row only the first. */
export function types(events: readonly Event[]): string[] {
  return events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
}
