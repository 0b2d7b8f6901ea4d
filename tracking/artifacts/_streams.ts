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

/** A body for a request, and what is to be done when it is no longer needed. */
export interface EndableBody {
  /** The bytes. */
  readonly content: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Closes what it comes from, whether or not all was read. */
  readonly end: () => void;
}

/** A stream as a body that can be ended while whoever reads it holds it. */
export function endable(
  source: ReadableStream<Uint8Array>,
  options: Omit<TrackStreamOptions, "signal">,
): EndableBody {
  const controller = new AbortController();
  const content = trackStream(source, { ...options, signal: controller.signal });
  return { content, end: () => controller.abort(new DOMException("The request is over", "AbortError")) };
}

/** A file as such a body; it is closed at once when the body ends. */
export function fileBody(file: Deno.FsFile, onBytes: (bytes: number) => void): EndableBody {
  let isOpen = true;
  let sent = 0;
  const end = () => {
    if (isOpen) file.close();
    isOpen = false;
  };
  const content = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const chunk = new Uint8Array(PACKET_LENGTH);
        const length = await file.read(chunk);
        if (length === null) {
          end();
          return controller.close();
        }
        sent += length;
        onBytes(sent);
        controller.enqueue(chunk.subarray(0, length));
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
  return { content, end };
}

const PACKET_LENGTH = 65_536;
