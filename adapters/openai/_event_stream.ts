/** A stream whose kind is known, though its first bytes were looked at. */
export interface Sniffed {
  /** What it is: JSON, a page, or anything else, which is read as server-sent events. */
  readonly kind: "json" | "page" | "events";
  /** All of its bytes. */
  readonly stream: ReadableStream<Uint8Array>;
}

/**
 * Finds out what a stream is by its first byte, since some servers give event streams out as JSON or plain text, and
 * some answer in JSON where a stream was asked for.
 *
 * @param stream Bytes. It is locked from now on.
 * @param signal Ends the wait for the first one, and the stream.
 * @returns The stream, whole.
 */
export async function sniff(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Sniffed> {
  const reader = stream.getReader();
  const read: Uint8Array[] = [];
  let text = "";
  const decoder = new TextDecoder();
  // By hand, as the signal given to fetch is forgotten by Deno after a garbage collection.
  const onAbort = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", onAbort);
  try {
    signal?.throwIfAborted();
    while (text === "") {
      const { done, value } = await reader.read();
      if (done) break;
      read.push(value);
      text += decoder.decode(value, { stream: true }).trimStart();
    }
    signal?.throwIfAborted();
  } catch (error) {
    onAbort();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  const kind = text.startsWith("{") ? "json" : text.startsWith("<") ? "page" : "events";
  return { kind, stream: resume(read, reader) };
}

function resume(
  read: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const bytes of read) controller.enqueue(bytes);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      await reader.cancel(reason);
    },
  });
}
