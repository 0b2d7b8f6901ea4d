/** Bytes of a buffer that most packets fit into; those are pooled, larger ones are not. */
const BUFFER_SIZE = 16 * 1024;
/** Least room to read into: less would make packets of the few bytes that are left. */
const LEAST_ROOM = 4 * 1024;
/** Buffers kept for the next stream: 1 MiB at most. */
const POOL_SIZE = 64;

const pool: Uint8Array<ArrayBuffer>[] = [];

type Reader =
  | { readonly kind: "byob"; readonly reader: ReadableStreamBYOBReader }
  | { readonly kind: "default"; readonly reader: ReadableStreamDefaultReader<Uint8Array> };

/**
 * Bytes of a stream that are not worked off yet, in one piece: those from `start` to `end` of `bytes`.
 *
 * Whoever reads by it can be sure that the stream is cancelled on abort: the signal given to `fetch` does not stop a
 * body any more once a garbage collection ran after the headers, so a listener here holds the reader and cancels it.
 */
export class ByteBuffer {
  /** The buffer; another one after each {@linkcode ByteBuffer.fill}. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the bytes not worked off begin. */
  start = 0;
  /** Where they end. */
  end = 0;
  #source: Reader;
  #signal: AbortSignal | undefined;
  #open = true;
  #reading = false;
  #onAbort = () => this.cancel(this.#signal?.reason);

  constructor(stream: ReadableStream<Uint8Array>, signal: AbortSignal | undefined) {
    this.#source = openReader(stream);
    this.bytes = pool.pop() ?? new Uint8Array(BUFFER_SIZE);
    this.#signal = signal;
    if (signal?.aborted) this.cancel(signal.reason);
    else signal?.addEventListener("abort", this.#onAbort);
  }

  /**
   * Waits for the next packet and appends it.
   *
   * @returns Whether there was one; `false` at the stream's end, and after {@linkcode ByteBuffer.cancel}.
   * @throws What the stream failed with, or the signal's reason.
   */
  async fill(): Promise<boolean> {
    let more = false;
    if (this.#open) {
      this.#reading = true;
      try {
        more = this.#source.kind === "byob"
          ? await this.#readInto(this.#source.reader)
          : await this.#readChunk(this.#source.reader);
      } catch (error) {
        this.#close();
        // An aborted fetch may fail with an error of its own.
        this.#signal?.throwIfAborted();
        throw error;
      } finally {
        this.#reading = false;
      }
    }
    this.#signal?.throwIfAborted();
    if (!more) this.#close();
    // After a cancel no one wants the packet that came at the same time.
    return more && this.#open;
  }

  /**
   * Ends the stream at once, also while a read waits.
   *
   * @param reason Handed to the stream's source.
   */
  cancel(reason?: unknown): void {
    if (!this.#open) return;
    this.#close();
    // The stream is given up: its failure to close, or its having failed already, concerns no one any more.
    this.#source.reader.cancel(reason).catch(() => {});
  }

  /** Gives the buffer away once nothing in it is needed any more. */
  release(): void {
    if (this.#reading) return;
    if (this.bytes.byteLength === BUFFER_SIZE && pool.length < POOL_SIZE) pool.push(this.bytes);
    this.bytes = new Uint8Array(0);
    this.start = this.end = 0;
  }

  #close(): void {
    this.#open = false;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  /** Makes room behind the bytes: by moving them to the front if that is enough, else in a larger buffer. */
  #reserve(count: number): void {
    if (this.start === this.end) this.start = this.end = 0;
    const { bytes, start, end } = this;
    if (bytes.length - end >= count) return;
    const length = end - start;
    if (start > length && bytes.length - length >= count) {
      bytes.copyWithin(0, start, end);
    } else {
      const larger = new Uint8Array(Math.max(bytes.length * 2, length + count, BUFFER_SIZE));
      larger.set(bytes.subarray(start, end));
      this.bytes = larger;
    }
    this.start = 0;
    this.end = length;
  }

  async #readInto(reader: ReadableStreamBYOBReader): Promise<boolean> {
    this.#reserve(LEAST_ROOM);
    const { done, value } = await reader.read(this.bytes.subarray(this.end));
    if (value === undefined) {
      // A read that waits at cancel loses its buffer.
      this.bytes = new Uint8Array(0);
      this.start = this.end = 0;
      return false;
    }
    this.bytes = new Uint8Array(value.buffer);
    this.end += value.length;
    return !done;
  }

  async #readChunk(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<boolean> {
    const { done, value } = await reader.read();
    if (done) return false;
    this.#reserve(value.length);
    this.bytes.set(value, this.end);
    this.end += value.length;
    return true;
  }
}

function openReader(stream: ReadableStream<Uint8Array>): Reader {
  // Only asking tells whether a stream can read into a given buffer.
  try {
    return { kind: "byob", reader: stream.getReader({ mode: "byob" }) };
  } catch {
    return { kind: "default", reader: stream.getReader() };
  }
}
