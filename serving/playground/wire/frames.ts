/** Reading an answer's body frame by frame. */

/** A frame of an event stream: its raw text, and its data if it has any. */
export interface StreamFrame {
  readonly text: string;
  readonly data?: string;
}

/** Cuts an event stream into frames. What is left when the stream ends is a frame too: it shows where it was cut. */
export async function* readFrames(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<StreamFrame> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += value;
      const end = lastFrameEnd(rest);
      if (end === 0) continue;
      for (const text of rest.slice(0, end).split(/\r?\n\r?\n/)) if (text !== "") yield toFrame(text);
      rest = rest.slice(end);
    }
    if (rest.trim() !== "") yield toFrame(rest);
  } finally {
    // Whoever stops reading is not interested in the rest; the server is told so. If the stream has failed, the reader
    // has thrown that error already.
    await reader.cancel().catch(() => {});
  }
}

function lastFrameEnd(text: string): number {
  const plain = text.lastIndexOf("\n\n");
  const windows = text.lastIndexOf("\r\n\r\n");
  return Math.max(plain < 0 ? 0 : plain + 2, windows < 0 ? 0 : windows + 4);
}

function toFrame(text: string): StreamFrame {
  const data = text.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
  return data.length === 0 ? { text } : { text, data: data.join("\n") };
}
