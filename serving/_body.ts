import { ChatModelError } from "../types/mod.ts";
import { readText } from "../streaming/decode.ts";

/**
 * Reads a request's body as JSON, whatever its content type says: `curl -d` sends a form's.
 *
 * @throws {ChatModelError} Status 413 if it is larger than `maxSize` bytes, 400 if it is empty or no JSON.
 */
export async function readJson(request: Request, maxSize: number): Promise<unknown> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxSize) throw tooLarge(maxSize);
  try {
    if (announced !== null) return await request.json();
    return JSON.parse(request.body === null ? "" : await readPieces(request.body, maxSize));
  } catch (error) {
    if (ChatModelError.isInstance(error)) throw error;
    if (error instanceof SyntaxError) throw invalidBody(error);
    // Most often the client left while it sent. Nothing is wrong here, so it must not look like a failure of the server.
    throw new ChatModelError("Cannot read request body: it broke off. Send it again as a whole", {
      status: 400,
      code: "incomplete_body",
      cause: error,
    });
  }
}

/** Reads a body of unknown size: counted while reading. */
async function readPieces(body: ReadableStream<Uint8Array>, maxSize: number): Promise<string> {
  let size = 0;
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > maxSize) throw tooLarge(maxSize);
        controller.enqueue(chunk);
      },
    }),
  );
  return await readText(counted, { maxLength: maxSize });
}

function tooLarge(maxSize: number): ChatModelError {
  return new ChatModelError(`Cannot read request body: it is larger than ${maxSize} bytes`, {
    status: 413,
    code: "request_too_large",
  });
}

/** The engine's own text is not shown, as it quotes the body. */
function invalidBody(error: SyntaxError): ChatModelError {
  const [, line, column] = /line (\d+) column (\d+)/.exec(error.message) ?? [];
  const where = line !== undefined
    ? `: error at line ${line}, column ${column}`
    : error.message.includes("end of JSON")
    ? ": it is empty or ends too early"
    : "";
  return new ChatModelError(
    `Cannot read request body: it is not valid JSON${where}. ` +
      'Send an object such as {"messages": [{"role": "user", "content": "Hello"}]}',
    { status: 400, code: "invalid_json", cause: error },
  );
}
