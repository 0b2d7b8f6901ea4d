import { ChatModelError } from "../types/mod.ts";

/**
 * Reads a request's body as JSON, whatever its content type says: `curl -d` sends a form's.
 *
 * @throws {ChatModelError} Status 413 if it is larger than `maxSize` bytes, 400 if it is empty or no JSON.
 */
export async function readJson(request: Request, maxSize: number): Promise<unknown> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxSize) throw tooLarge(maxSize);
  let bytes: Uint8Array;
  try {
    bytes = announced !== null
      ? await request.bytes()
      : request.body === null
      ? new Uint8Array(0)
      : await readPieces(request.body, maxSize);
  } catch (error) {
    if (ChatModelError.isInstance(error)) throw error;
    // Most often the client left while it sent. Nothing is wrong here, so it must not look like a failure of the server.
    throw new ChatModelError("Cannot read request body: it broke off. Send it again as a whole", {
      status: 400,
      code: "incomplete_body",
      cause: error,
    });
  }
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw invalidBody(error);
  }
}

/** Refuses what is not UTF-8, rather than to put U+FFFD in its place. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads a body of unknown size: counted while reading. */
async function readPieces(body: ReadableStream<Uint8Array>, maxSize: number): Promise<Uint8Array> {
  let size = 0;
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > maxSize) throw tooLarge(maxSize);
        controller.enqueue(new Uint8Array(chunk));
      },
    }),
  );
  return await new Response(counted).bytes();
}

function tooLarge(maxSize: number): ChatModelError {
  return new ChatModelError(`Cannot read request body: it is larger than ${maxSize} bytes`, {
    status: 413,
    code: "request_too_large",
  });
}

/** The engine's own text is not shown, as it quotes the body. */
function invalidBody(error: unknown): ChatModelError {
  const message = error instanceof SyntaxError ? error.message : "";
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  const where = line !== undefined
    ? `: error at line ${line}, column ${column}`
    : message.includes("end of JSON")
    ? ": it is empty or ends too early"
    : error instanceof TypeError
    ? ": it is not UTF-8"
    : "";
  return new ChatModelError(
    `Cannot read request body: it is not valid JSON${where}. ` +
      'Send an object such as {"messages": [{"role": "user", "content": "Hello"}]}',
    { status: 400, code: "invalid_json", cause: error },
  );
}
