import { assertEquals } from "@std/assert";
import { readFrames, type StreamFrame } from "../../serving/playground/wire/frames.ts";

const BODY = 'data: {"a":"é"}\n\n: keep alive\n\ndata: one\ndata: two\n\ndata: x\r\n\r\ndata:[DONE]\n\ndata: cut';

const FRAMES: readonly StreamFrame[] = [
  { text: 'data: {"a":"é"}', data: '{"a":"é"}' },
  { text: ": keep alive" },
  { text: "data: one\ndata: two", data: "one\ntwo" },
  { text: "data: x", data: "x" },
  { text: "data:[DONE]", data: "[DONE]" },
  { text: "data: cut", data: "cut" },
];

Deno.test("readFrames() cuts a stream into frames, wherever the network cut it", async () => {
  const bytes = new TextEncoder().encode(BODY);
  for (let size = 1; size <= bytes.length; size++) {
    let position = 0;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (position >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(position, position += size));
      },
    });
    assertEquals(await Array.fromAsync(readFrames(stream)), FRAMES, `pieces of ${size} bytes`);
  }
});

Deno.test("readFrames() cancels the stream when its reader stops early", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    cancel() {
      cancelled = true;
    },
  });
  for await (const { data } of readFrames(stream)) {
    assertEquals(data, "x");
    break;
  }
  assertEquals(cancelled, true);
});
