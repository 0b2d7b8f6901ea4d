import { errorOfFiles } from "./_files.ts";
import { ownBytes, trackStream } from "./_streams.ts";

/** A file that a stream was written to; whoever gets it removes it. */
export interface CollectedFile {
  /** Where it is. */
  readonly localPath: string;
  /** Its size in bytes. */
  readonly size: number;
}

/**
 * Reads a whole stream to find out how long it is: into memory if it is short, else into a temporary file.
 *
 * @param source The stream; cancelled where this fails.
 * @param options `limit` is the number of bytes that are kept in memory, `path` is for errors, `signal` gives up.
 * @returns The bytes, or the file.
 */
export async function collect(
  source: ReadableStream<Uint8Array>,
  options: { readonly limit: number; readonly path: string; readonly signal: AbortSignal | undefined },
): Promise<Uint8Array<ArrayBuffer> | CollectedFile> {
  const { limit, path, signal } = options;
  const reader = trackStream(source, { path, ...(signal && { signal }) }).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    while (size <= limit) {
      const { done, value } = await reader.read();
      if (done) return joinBytes(chunks, size);
      // Whoever made it may use its memory again.
      chunks.push(value.slice());
      size += value.length;
    }
    return await writeTemporary(chunks, reader);
  } catch (error) {
    await reader.cancel(error).catch(() => {}); // A stream that failed cannot be cancelled; its error is told already.
    signal?.throwIfAborted();
    throw errorOfFiles(`store artifact "${path}" by way of a temporary file`, error);
  }
}

async function writeTemporary(
  chunks: readonly Uint8Array<ArrayBuffer>[],
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<CollectedFile> {
  const localPath = await Deno.makeTempFile({ prefix: "artifact-" });
  try {
    using file = await Deno.open(localPath, { write: true });
    let size = 0;
    const write = async (chunk: Uint8Array) => {
      for (let sent = 0; sent < chunk.length;) sent += await file.write(chunk.subarray(sent));
      size += chunk.length;
    };
    for (const chunk of chunks) await write(chunk);
    for (let part = await reader.read(); !part.done; part = await reader.read()) await write(part.value);
    return { localPath, size };
  } catch (error) {
    await Deno.remove(localPath);
    throw error;
  }
}

function joinBytes(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return ownBytes(bytes);
}
