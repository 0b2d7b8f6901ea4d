import { ChatModelError } from "../types/mod.ts";
import { decodeBody, type Encoding, encodingOf } from "./_content_encoding.ts";
import type { BodyBudget } from "./_body_budget.ts";
import { isTooDeep } from "./_json_depth.ts";

/** Levels of arrays and objects: more than any request needs, and few enough for whatever walks through one. */
const MAX_DEPTH = 500;

/** Messages, items, texts or tools of one request: more than any conversation has. */
const MAX_ITEMS = 10_000;

/** Members of a body that are lists of such. */
const LISTS = ["messages", "input", "prompt", "tools"];

/** Members of all objects in a body together: more than a conversation of so many messages has. */
const MAX_MEMBERS = 250_000;

/** Bytes below which a body is not counted: a thousand of them are nothing. */
const SMALL = 65_536;

/** What bodies may take. */
export interface BodyLimits {
  /** Bytes of one. */
  readonly maxSize: number;
  /** Bytes of all together. */
  readonly budget: BodyBudget;
}

/** How a body is counted while it is read. */
interface Counting {
  readonly maxSize: number;
  /** Takes bytes of what all may have together. */
  readonly take: (bytes: number) => void;
}

/** How to read a body. */
export interface ReadOptions {
  /** A body that is right for the route, for who sends none. @default {'{"messages": [{"role": "user", "content": "Hello"}]}'} */
  readonly example?: string;
}

/**
 * Reads a request's body as JSON, whatever its content type says: `curl -d` sends a form's. It may be compressed.
 *
 * @throws {ChatModelError} Status 413 if it is larger than `maxSize` bytes, 415 if its encoding is unknown, 400 if it is
 * empty, no JSON, very deep or with very long lists, not UTF-8, or not encoded as it says.
 */
export async function readJson(
  request: Request,
  { maxSize, budget }: BodyLimits,
  options: ReadOptions = {},
): Promise<unknown> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxSize) throw tooLarge(maxSize);
  const encoding = request.headers.get("content-encoding");
  const size = announced === null ? undefined : sizeOf(announced);
  if (encoding === null && size !== undefined && size < SMALL) {
    // Most bodies, by as few steps as can be.
    return parse(await request.bytes().catch(failed), options);
  }
  let taken = 0;
  const take = (bytes: number) => {
    budget.take(bytes);
    taken += bytes;
  };
  try {
    if (size !== undefined) take(size);
    const bytes = encoding === null && size !== undefined
      ? request.bytes()
      : readBytes(request, { maxSize, take: size === undefined ? take : () => {} }, encoding ?? undefined);
    return parse(await bytes.catch(failed), options);
  } finally {
    budget.give(taken);
  }
}

/** A size that was announced; `undefined` if it is none. */
function sizeOf(announced: string): number | undefined {
  return /^\d+$/.test(announced) ? Number(announced) : undefined;
}

function failed(error: unknown): never {
  throw ChatModelError.isInstance(error) ? error : brokenOff(error);
}

function parse(bytes: Uint8Array, options: ReadOptions): unknown {
  const text = decodeText(bytes);
  if (isTooDeep(text, MAX_DEPTH)) throw tooDeep();
  if (text.length > MAX_MEMBERS * 4 && hasTooManyMembers(text)) throw tooManyMembers();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw invalidBody(error, options);
  }
  // Shorter texts cannot have so many.
  if (text.length > MAX_ITEMS * 2) checkLists(body);
  return body;
}

/** Objects with very many members take seconds to be made, in which nothing else runs. Where text has `":`, it counts. */
function hasTooManyMembers(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) if (++count > MAX_MEMBERS) return true;
  return false;
}

function tooManyMembers(): ChatModelError {
  return new ChatModelError(
    `Cannot read request body: its objects have more than ${MAX_MEMBERS} members. Send fewer`,
    { code: "invalid_json" },
  );
}

/** Before each item is looked at, and whatever is wrong with it told. */
function checkLists(body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  for (const name of LISTS) {
    const value: unknown = Reflect.get(body, name);
    if (!Array.isArray(value) || value.length <= MAX_ITEMS) continue;
    throw new ChatModelError(
      `Cannot read request body: "${name}" has ${value.length} items, and may have ${MAX_ITEMS}. Send fewer`,
      { code: "array_above_max_length", param: name },
    );
  }
}

/** Refuses what is not UTF-8, rather than to put U+FFFD in its place. */
const decoder = new TextDecoder("utf-8", { fatal: true });

function decodeText(bytes: Uint8Array): string {
  let cause: unknown;
  try {
    // JSON may hold no NUL: where one is at the beginning, it is half a character.
    if (!isUtf16(bytes)) return decoder.decode(bytes);
  } catch (error) {
    cause = error;
  }
  const what = cause === undefined ? "it is UTF-16 or UTF-32, and must be UTF-8" : "it is not UTF-8";
  throw new ChatModelError(`Cannot read request body: ${what}. Send JSON in UTF-8`, {
    code: "invalid_encoding",
    cause,
  });
}

async function readBytes(request: Request, counting: Counting, encodingHeader?: string): Promise<Uint8Array> {
  const encoding = encodingHeader !== undefined ? encodingOf(encodingHeader) : undefined;
  if (request.body === null) return new Uint8Array(0);
  if (encoding === undefined) return await readCounted(request.body, counting);
  return await readEncoded(request.body, encoding, counting);
}

/** Counts what comes and what becomes of it: either may be endless while the other is small. */
async function readEncoded(
  body: ReadableStream<Uint8Array>,
  encoding: Encoding,
  counting: Counting,
): Promise<Uint8Array> {
  const { maxSize } = counting;
  const decoded = await decodeBody(await readCounted(body, counting), encoding, maxSize);
  if (decoded === undefined) throw tooLarge(maxSize, "decoded, ");
  return decoded;
}

/** Reads a body of unknown size: counted while reading. */
async function readCounted(body: ReadableStream<Uint8Array>, { maxSize, take }: Counting): Promise<Uint8Array> {
  let size = 0;
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > maxSize) throw tooLarge(maxSize);
        take(chunk.byteLength);
        controller.enqueue(new Uint8Array(chunk));
      },
    }),
  );
  return await new Response(counted).bytes();
}

/** Most often the client left while it sent. Nothing is wrong here, so it must not look like a failure of the server. */
function brokenOff(cause: unknown): ChatModelError {
  return new ChatModelError("Cannot read request body: it broke off. Send it again as a whole", {
    code: "incomplete_body",
    cause,
  });
}

function tooLarge(maxSize: number, how = ""): ChatModelError {
  return new ChatModelError(`Cannot read request body: ${how}it is larger than ${maxSize} bytes`, {
    code: "request_too_large",
  });
}

function tooDeep(): ChatModelError {
  return new ChatModelError(
    `Cannot read request body: it has arrays and objects in each other, more than ${MAX_DEPTH} deep. Send it flatter`,
    { code: "invalid_json" },
  );
}

/** The engine's own text is not shown, as it quotes the body. */
function invalidBody(error: unknown, options: ReadOptions): ChatModelError {
  const { example = '{"messages": [{"role": "user", "content": "Hello"}]}' } = options;
  const message = error instanceof SyntaxError ? error.message : "";
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  const where = line !== undefined
    ? `: error at line ${line}, column ${column}`
    : message.includes("end of JSON")
    ? ": it is empty or ends too early"
    : "";
  return new ChatModelError(
    `Cannot read request body: it is not valid JSON${where}. Send an object such as ${example}`,
    { code: "invalid_json", cause: error },
  );
}

/** By its mark, or by the zeros that JSON's first character has beside it. */
function isUtf16(bytes: Uint8Array): boolean {
  const first = bytes[0];
  const second = bytes[1];
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}
