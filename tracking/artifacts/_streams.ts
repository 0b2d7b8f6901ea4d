import type { TransferOptions } from "../artifact_repository.ts";

/** Options for {@linkcode trackStream}. */
export interface TrackStreamOptions extends TransferOptions {
  /** Path to report. */
  readonly path: string;
  /** Bytes in all, if known. */
  readonly total?: number | undefined;
  /** Turns what the source fails with into what is to be seen. Default: as it is. */
  readonly mapError?: (error: unknown) => unknown;
  /** Called once, when the stream has ended in whatever way. */
  readonly onEnd?: () => void;
}

/**
 * Hands on a stream, telling how far it has come, until the signal stops it. A consumer that goes and a signal both
 * cancel the source.
 *
 * @param source The stream.
 * @param options What to tell, and when to stop.
 * @returns The stream for the consumer.
 */
export function trackStream(
  source: ReadableStream<Uint8Array>,
  options: TrackStreamOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { signal, onProgress, path, total, mapError = (error) => error, onEnd } = options;
  const reader = source.getReader();
  let bytes = 0;
  let stop: (() => void) | undefined;
  const end = () => {
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
    stop = undefined;
    onEnd?.();
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      stop = () => {
        end();
        controller.error(signal?.reason);
        // The consumer has the signal's reason; what the source makes of its end is of no interest to anyone.
        reader.cancel(signal?.reason).catch(() => {});
      };
      if (signal?.aborted) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (signal?.aborted) return;
        if (done) {
          end();
          controller.close();
          return;
        }
        bytes += value.length;
        onProgress?.({ path, bytes, ...(total !== undefined && { total }) });
        controller.enqueue(ownBytes(value));
      } catch (error) {
        if (signal?.aborted) return;
        end();
        controller.error(mapError(error));
        await reader.cancel(error).catch(() => {}); // Its own error is told already.
      }
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Bytes as a stream of one chunk. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** The bytes, copied only where they lie in memory that is shared with other threads: a request's body may not. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return isUnshared(bytes) ? bytes : new Uint8Array(bytes);
}

function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}

const PACKET_LENGTH = 65_536;

/**
 * A file as the body of a request, read while it is sent. It is a `Blob` as `fetch` tells the length of no other body
 * that is not in memory beforehand, and some servers (MLflow's before 3.13 are among them) store nothing of a body
 * that comes without its length.
 */
export class FileBody extends Blob {
  readonly #file: Deno.FsFile;
  readonly #size: number;
  readonly #onBytes: (bytes: number) => void;
  #sent = 0;
  #isOpen = true;

  /** Takes an open file, of so many bytes; told is how many of them have been read. */
  constructor(file: Deno.FsFile, size: number, onBytes: (bytes: number) => void) {
    super();
    this.#file = file;
    this.#size = size;
    this.#onBytes = onBytes;
  }

  override get size(): number {
    return this.#size;
  }

  /** Whether all has been read. */
  get isComplete(): boolean {
    return this.#sent === this.#size;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        try {
          await this.#pull(controller);
        } catch (error) {
          this.end();
          controller.error(error);
        }
      },
      cancel: () => this.end(),
    }, { highWaterMark: 0 });
  }

  /** Closes the file, whether or not all of it was read. */
  end(): void {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    // What is appended meanwhile is not sent.
    const chunk = new Uint8Array(Math.min(PACKET_LENGTH, this.#size - this.#sent));
    const length = chunk.length === 0 ? 0 : await this.#file.read(chunk);
    if (length === null) throw new Error("The file became shorter while it was sent");
    if (length > 0) {
      this.#sent += length;
      this.#onBytes(this.#sent);
      controller.enqueue(chunk.subarray(0, length));
    }
    if (!this.isComplete) return;
    this.end();
    controller.close();
  }
}
