import { ChatModelError } from "../types/mod.ts";
import { readText } from "../streaming/decode.ts";

/**
 * Reads a request's body as JSON, whatever its content type says: `curl -d` sends a form's.
 *
 * @throws {ChatModelError} Status 413 if it is larger than `maxSize` bytes, 400 if it is empty or no JSON.
 */
export async function readJson(request: Request, maxSize: number): Promise<unknown> {
  const text = await readBody(request, maxSize);
  if (text.trim() === "") {
    throw invalidBody('it is empty. Send a JSON object such as {"messages": [{"role": "user", "content": "Hello"}]}');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidBody(`it is not valid JSON${position(error)}`, error);
  }
}

async function readBody(request: Request, maxSize: number): Promise<string> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxSize) throw tooLarge(maxSize);
  try {
    if (announced !== null) return await request.text();
    return request.body === null ? "" : await readPieces(request.body, maxSize);
  } catch (error) {
    if (ChatModelError.isInstance(error)) throw error;
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

function invalidBody(reason: string, cause?: unknown): ChatModelError {
  return new ChatModelError(`Cannot read request body: ${reason}`, { status: 400, code: "invalid_json", cause });
}

/** Where the error is. The engine's own text is not shown, as it quotes the body. */
function position(error: unknown): string {
  if (!(error instanceof SyntaxError)) return "";
  const match = /line (\d+) column (\d+)/.exec(error.message);
  if (match) return `: error at line ${match[1]}, column ${match[2]}`;
  return error.message.includes("end of JSON") ? ": it ends too early" : "";
}
