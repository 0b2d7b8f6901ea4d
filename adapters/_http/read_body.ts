import { readText } from "../../streaming/decode.ts";
import { ChatModelError } from "../../types/mod.ts";

/** Bytes of an answer in one piece that are read at most. */
const MAX_LENGTH = 67_108_864;

/** Bytes of an error answer that are read at most. */
const MAX_ERROR_LENGTH = 1_048_576;

/**
 * Reads the body of an answer.
 *
 * @param response The answer.
 * @param signal Ends the reading.
 * @param lost Makes the error for a connection that broke.
 * @returns The text.
 */
export function readBody(
  response: Response,
  signal: AbortSignal | undefined,
  lost: (cause: unknown) => Error,
): Promise<string> {
  // The quicker way where the length is known beforehand. Unlike a reader between two reads, it goes on to hear the
  // signal given to `fetch` after a garbage collection.
  const length = response.headers.get("content-length");
  const text = length !== null && Number(length) <= MAX_LENGTH
    ? response.text()
    : readText(response.body, { maxLength: MAX_LENGTH, ...(signal && { signal }) });
  return text.catch((error) => {
    signal?.throwIfAborted();
    throw ChatModelError.isInstance(error) ? error : lost(error);
  });
}

/**
 * Reads the body of an answer that tells of an error. Its status alone tells enough if it cannot be read.
 *
 * @param body The body.
 * @param signal Ends the reading.
 * @returns The text.
 */
export async function readErrorBody(body: Response["body"], signal: AbortSignal | undefined): Promise<string> {
  try {
    return await readText(body, { maxLength: MAX_ERROR_LENGTH, ...(signal && { signal }) });
  } catch {
    signal?.throwIfAborted();
    return "";
  }
}
