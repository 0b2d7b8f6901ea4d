/** An app of which every body and every frame is validated against OpenAI's schemas, and counted. */
import { assert, assertEquals } from "@std/assert";
import { type AppModels, type AppOptions, createApp, type ModelDirectory } from "../../serve.ts";
import type { ChatModelError } from "../../types/mod.ts";
import { type SchemaName, unknownMembers, validateBody } from "./_schema.ts";

/** How much was validated. */
export interface Tally {
  /** Bodies in JSON that are no errors. */
  bodies: number;
  /** Frames of streams that are no errors, `[DONE]` not counted. */
  frames: number;
  /** Streams. */
  streams: number;
  /** Errors, in bodies and frames. */
  errors: number;
  /** Frames that begin a call of a custom tool, of which OpenAI's schema of chunks knows nothing. */
  customCalls: number;
  /** Kept messages that are not the assistant's: OpenAI's schema allows only those, its own example has others. */
  otherRoles: number;
  /** Pieces of streamed texts before the end: OpenAI's schema has none, and would have each say why it ended. */
  textPieces: number;
  /** Members that OpenAI's schemas do not know. */
  readonly unknown: Set<string>;
}

/** An app whose answers are validated. */
export interface CheckedApp {
  /** What has been validated so far. */
  readonly tally: Tally;
  /** Errors that were the server's fault. */
  readonly reported: readonly ChatModelError[];
  /** Asks by POST, and validates the answer. */
  post(path: string, body: unknown): Promise<Checked>;
  /** Asks by another method, without a body, and validates the answer. */
  ask(method: string, path: string): Promise<Checked>;
}

/** An answer that was validated. */
export interface Checked {
  readonly status: number;
  /** The body, or the frames, parsed. */
  readonly values: readonly unknown[];
}

/** Nothing validated yet. */
export function newTally(): Tally {
  return {
    bodies: 0,
    frames: 0,
    streams: 0,
    errors: 0,
    customCalls: 0,
    otherRoles: 0,
    textPieces: 0,
    unknown: new Set(),
  };
}

/**
 * Makes an app whose answers are validated.
 *
 * @param models The models.
 * @param tally Where to count.
 * @param options Options of the app.
 * @returns The app.
 */
export function checkedApp(
  models: AppModels | ModelDirectory,
  tally: Tally = newTally(),
  options: AppOptions = {},
): CheckedApp {
  const reported: ChatModelError[] = [];
  const app = createApp(models, { onError: (error) => reported.push(error), ...options });
  const ask = async (method: string, path: string, body?: string): Promise<Checked> => {
    const request = new Request(`http://localhost${path}`, body === undefined ? { method } : { method, body });
    return await check(await app.fetch(request), { path, method, tally });
  };
  return { tally, reported, ask, post: (path, body) => ask("POST", path, JSON.stringify(body)) };
}

/** An answer as it was sent. */
export interface Answer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The content type. */
  readonly type: string | null;
  /** The body, or of a stream what there is of it: whole frames. */
  readonly text: string;
}

async function check(response: Response, asked: Pick<Answer, "method" | "path"> & { tally: Tally }): Promise<Checked> {
  const { status } = response;
  const answer = { ...asked, status, type: response.headers.get("content-type"), text: await response.text() };
  return { status, values: validateAnswer(answer, asked.tally) };
}

/**
 * Validates an answer.
 *
 * @param answer The answer.
 * @param tally Where to count.
 * @returns The body, or the frames, parsed.
 * @throws {Error} If it is not as OpenAI's schemas say.
 */
export function validateAnswer(answer: Answer, tally: Tally): unknown[] {
  const { status, type, text } = answer;
  if (type !== "text/event-stream") {
    const value: unknown = JSON.parse(text);
    const name = status >= 400 ? "ErrorResponse" : schemaOf(answer);
    if (name === "CreateEmbeddingResponse") count(name, withVectors(value), tally);
    else if (name === "ChatCompletionMessageList") count(name, withoutOtherRoles(value, tally), tally);
    else if (name !== undefined) count(name, value, tally);
    if (name !== undefined && status < 400) tally.bodies++;
    return [value];
  }
  tally.streams++;
  return framesOf(text).map((frame) => {
    const value: unknown = JSON.parse(frame);
    const isError = typeof value === "object" && value !== null && "error" in value && !("type" in value);
    const name = isError ? "ErrorResponse" : frameSchemaOf(answer);
    count(name, name === "CreateCompletionResponse" ? asWhole(value, tally) : withoutCustomType(value, tally), tally);
    if (!isError) tally.frames++;
    return value;
  });
}

/**
 * OpenAI answers with calls of custom tools, and streams them, but its schema of chunks knows calls of functions only.
 * All else in such a frame is validated.
 */
function withoutCustomType(value: unknown, tally: Tally): unknown {
  const text = JSON.stringify(value);
  const plain = text.replace('"type":"custom","custom":', '"custom":');
  if (plain !== text) tally.customCalls++;
  return JSON.parse(plain);
}

/** A piece of a streamed text as if it were the end of one; all else in it is validated. */
function asWhole(value: unknown, tally: Tally): unknown {
  return JSON.parse(JSON.stringify(value), (key, member: unknown) => {
    if (key === "usage" && member === null) return undefined;
    if (key !== "finish_reason" || member !== null) return member;
    tally.textPieces++;
    return "stop";
  });
}

/** Vectors in base64, which OpenAI sends when asked though its schema knows lists only, as lists. */
function withVectors(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, member: unknown) => {
    if (key !== "embedding" || typeof member !== "string") return member;
    const bytes = Uint8Array.from(atob(member), (letter) => letter.charCodeAt(0));
    return [...new Float32Array(bytes.buffer)];
  });
}

/** The messages of a stored chat completion as if all were the assistant's; all else in them is validated. */
function withoutOtherRoles(value: unknown, tally: Tally): unknown {
  return JSON.parse(JSON.stringify(value), (key, member: unknown) => {
    if (key !== "role" || member === "assistant") return member;
    tally.otherRoles++;
    return "assistant";
  });
}

function count(name: SchemaName, value: unknown, tally: Tally): void {
  validateBody(name, value);
  for (const path of unknownMembers(name, value)) tally.unknown.add(`${name} ${path}`);
  if (name === "ErrorResponse") tally.errors++;
}

/** The data of the frames, without the word that ends them. */
function framesOf(text: string): string[] {
  const frames = text.split("\n\n");
  assertEquals(frames.pop(), "", "the last frame is closed by a blank line");
  const data = frames.filter((frame) => !frame.startsWith(":")).map((frame) =>
    frame.slice(frame.indexOf("data: ") + "data: ".length)
  );
  assert(data.length > 0, "a stream says something");
  return data.filter((frame) => frame !== "[DONE]");
}

const BODIES: readonly (readonly [method: string, path: RegExp, name: SchemaName | undefined])[] = [
  // Of which OpenAI's specification says no more than that it is 200.
  ["DELETE", /^\/responses\/[^/]+$/, undefined],
  ["POST", /^\/chat\/completions$/, "CreateChatCompletionResponse"],
  ["GET", /^\/chat\/completions$/, "ChatCompletionList"],
  ["GET", /^\/chat\/completions\/[^/]+\/messages$/, "ChatCompletionMessageList"],
  ["DELETE", /^\/chat\/completions\/[^/]+$/, "ChatCompletionDeleted"],
  ["GET", /^\/chat\/completions\/[^/]+$/, "CreateChatCompletionResponse"],
  ["POST", /^\/chat\/completions\/[^/]+$/, "CreateChatCompletionResponse"],
  ["POST", /^\/completions$/, "CreateCompletionResponse"],
  ["POST", /^\/embeddings$/, "CreateEmbeddingResponse"],
  ["GET", /^\/models$/, "ListModelsResponse"],
  ["GET", /^\/models\/.+$/, "Model"],
  ["POST", /^\/responses$/, "Response"],
  ["GET", /^\/responses\/[^/]+\/input_items$/, "ResponseItemList"],
  ["GET", /^\/responses\/[^/]+$/, "Response"],
  ["POST", /^\/responses\/[^/]+\/cancel$/, "Response"],
];

function schemaOf({ method, path }: Answer): SchemaName | undefined {
  const plain = path.replace(/^\/v1/, "").replace(/\?.*$/, "");
  const found = BODIES.find(([verb, pattern]) => verb === method && pattern.test(plain));
  assert(found !== undefined, `Cannot tell what ${method} ${path} answers: add it to BODIES`);
  return found[2];
}

function frameSchemaOf({ path }: Answer): SchemaName {
  if (path.includes("/responses")) return "ResponseStreamEvent";
  // A streamed piece of a legacy completion has the form of the whole.
  return path.includes("/chat/") ? "CreateChatCompletionStreamResponse" : "CreateCompletionResponse";
}
