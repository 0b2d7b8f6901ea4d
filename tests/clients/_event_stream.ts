import { assert, assertEquals } from "@std/assert";
import { type ChatCompletionChunk, parseChatChunk, parseErrorResponse } from "../../types/mod.ts";

/**
 * Asserts that the text of an event stream is as OpenAI writes it: one line of data a frame, the same id, time and model
 * in all chunks, the role first and once, one end of each answer, the usage last, and exactly one of `[DONE]` and an
 * error at the end.
 *
 * @param text What was sent.
 * @param ended Whether the server came to its end, rather than the client leaving before.
 */
export function assertEventStream(text: string, ended: boolean): void {
  const frames = text.split("\n\n");
  const rest = frames.pop();
  if (ended) assertEquals(rest, "", "the last frame is closed by a blank line");
  const data = frames.filter((frame) => !frame.startsWith(":")).map((frame) => {
    assert(frame.startsWith("data: ") && !/[\r\n]/.test(frame), "a frame is one line of data");
    return frame.slice("data: ".length);
  });
  const last = data.at(-1);
  if (ended) {
    assert(last !== undefined, "a stream does not end without a word");
    data.pop();
  }
  const chunks = data.map((json) => {
    const value: unknown = JSON.parse(json);
    const chunk = parseChatChunk(value);
    // What the check would fill in must have been there: hence the comparison.
    assertEquals<unknown>(chunk, value);
    assert(!("error" in chunk), 'a chunk has no member "error"');
    return chunk;
  });
  assertOneAnswer(chunks);
  if (!ended || last === undefined) return;
  if (last !== "[DONE]") {
    const value: unknown = JSON.parse(last);
    return assertEquals<unknown>(parseErrorResponse(value), value);
  }
  for (const index of new Set(chunks.flatMap(({ choices }) => choices.map((choice) => choice.index)))) {
    const ends = chunks.flatMap(({ choices }) =>
      choices.filter((choice) => choice.index === index && choice.finish_reason !== null)
    );
    assertEquals(ends.map(({ delta }) => delta), [{}], "an answer has one end, which says nothing else");
  }
}

function assertOneAnswer(chunks: readonly ChatCompletionChunk[]): void {
  const [first] = chunks;
  const begun = new Set<number>();
  for (const [position, chunk] of chunks.entries()) {
    assertEquals(
      [chunk.id, chunk.created, chunk.model, "usage" in chunk],
      [first?.id, first?.created, first?.model, first !== undefined && "usage" in first],
      "all chunks are of one answer",
    );
    if (chunk.usage !== undefined && chunk.usage !== null) {
      assertEquals([chunk.choices, position], [[], chunks.length - 1], "the usage stands alone, and last");
      continue;
    }
    assertEquals(chunk.choices.length, 1);
    for (const { index, delta } of chunk.choices) {
      assertEquals("role" in delta, !begun.has(index), "the role comes first and once");
      begun.add(index);
    }
  }
}
