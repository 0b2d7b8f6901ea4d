/** What the tests of the app share. */
import { assert, assertEquals } from "@std/assert";
import { ServerSentEventParseStream } from "@std/http/server-sent-event-parse-stream";
import type { ChatMessage, ChatModelError, ChatParams, ModelContext, PredictPart, PredictResult } from "../../mod.ts";
import { ChatModel } from "../../mod.ts";
import { type App, type AppModels, type AppOptions, createApp } from "../../serve.ts";

/** An answer that has been read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, parsed. */
  // deno-lint-ignore no-explicit-any -- tests look at bodies of many shapes
  readonly json: any;
}

/** Says who it is and what it got. */
export class Parrot extends ChatModel {
  readonly #name: string;

  constructor(name = "parrot") {
    super();
    this.#name = name;
  }

  override predict(context: ModelContext, messages: readonly ChatMessage[], params: ChatParams): PredictResult {
    return {
      content: `${this.#name}: ${messages.at(-1)?.content}`,
      usage: { prompt_tokens: 1, completion_tokens: 2 },
      custom_outputs: { requestId: context.requestId, params, messages },
    };
  }
}

/** Does what its last message says, by the table. */
export class Scripted extends ChatModel {
  readonly #script: Readonly<Record<string, () => AsyncGenerator<PredictPart>>>;

  constructor(script: Readonly<Record<string, () => AsyncGenerator<PredictPart>>>) {
    super();
    this.#script = script;
  }

  override async *predictStream(_context: ModelContext, messages: readonly ChatMessage[]): AsyncGenerator<PredictPart> {
    const act = this.#script[String(messages.at(-1)?.content)];
    assert(act);
    yield* act();
  }
}

/** An app whose errors are kept instead of written to the console. */
export function testApp(
  models: AppModels = { parrot: new Parrot() },
  options: AppOptions = {},
): App & { readonly errors: { readonly error: ChatModelError; readonly id: string }[] } {
  const errors: { error: ChatModelError; id: string }[] = [];
  return { ...createApp(models, { onError: (error, id) => errors.push({ error, id }), ...options }), errors };
}

/** Sends a request and reads the answer. */
export async function send(app: App, path: string, init?: RequestInit): Promise<Answered> {
  const response = await app.fetch(new Request(`http://server.test${path}`, init));
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

/** Posts a body, as JSON unless it is text or a stream already. */
export function post(
  app: App,
  body: unknown,
  { path = "/v1/chat/completions", headers }: { readonly path?: string; readonly headers?: HeadersInit } = {},
): Promise<Answered> {
  const sent = typeof body === "string" || body instanceof ReadableStream ? body : JSON.stringify(body);
  return send(app, path, { method: "POST", body: sent, ...(headers !== undefined && { headers }) });
}

/** A request of one message. */
export function ask(content: string, rest: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { messages: [{ role: "user", content }], ...rest };
}

/** The data of all events. */
export async function events(text: string): Promise<string[]> {
  const { body } = new Response(text);
  if (body === null) return [];
  return (await Array.fromAsync(body.pipeThrough(new ServerSentEventParseStream()))).map(({ data }) => data ?? "");
}

/** Checks that an answer is an error in OpenAI's form, with a message that says something. */
export function assertError(answer: Answered, status: number, code: string | null, param: string | null = null): void {
  assertEquals(answer.status, status, answer.text);
  assertEquals(answer.headers.get("content-type"), "application/json");
  assertEquals(Object.keys(answer.json), ["error"]);
  const { error } = answer.json;
  assertEquals(Object.keys(error).sort(), ["code", "message", "param", "type"]);
  assertEquals([error.code, error.param], [code, param]);
  assert(error.message.length > 10, error.message);
  assert(!error.message.endsWith("."), error.message);
  assert(!/\n\s+at /.test(answer.text), "No stack may be in the body");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
