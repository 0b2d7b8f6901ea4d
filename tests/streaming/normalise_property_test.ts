import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type ChatCompletionChunk, ChatModelError } from "../../types/mod.ts";
import { collect } from "./_deltas.ts";

// Anything an author may come up with: near misses of the real shapes, and plain nonsense.
const anyPart = fc.oneof(
  fc.string(),
  fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
  fc.record({
    role: fc.constantFrom("assistant", "user", null, 1),
    content: fc.oneof(fc.string(), fc.constant(null), fc.anything()),
    reasoning: fc.oneof(fc.string(), fc.anything()),
    tool_calls: fc.array(fc.record({
      index: fc.oneof(fc.nat(3), fc.anything()),
      id: fc.constantFrom("a", "b", "", null, undefined, 1),
      type: fc.constantFrom("function", "custom", null),
      function: fc.record({
        name: fc.constantFrom("f", "g", "", null),
        arguments: fc.oneof(fc.string(), fc.anything()),
      }, { requiredKeys: [] }),
    }, { requiredKeys: [] })),
    index: fc.oneof(fc.nat(2), fc.anything()),
    finish_reason: fc.constantFrom("stop", "length", "", null, "eos"),
    usage: fc.oneof(fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }), fc.anything()),
  }, { requiredKeys: [] }),
  fc.record({
    id: fc.oneof(fc.string(), fc.anything()),
    choices: fc.array(fc.record({
      index: fc.nat(2),
      delta: fc.record({ content: fc.oneof(fc.string(), fc.constant(null)), refusal: fc.string() }, {
        requiredKeys: [],
      }),
      finish_reason: fc.constantFrom("stop", "tool_calls", null),
    }, { requiredKeys: [] })),
  }, { requiredKeys: ["choices"] }),
);

function assertCanonical(chunks: readonly ChatCompletionChunk[]): void {
  const state = new Map<number, "open" | "finished">();
  const calls = new Set<string>();
  const [first] = chunks;
  chunks.forEach((chunk, i) => {
    assertEquals([chunk.id, chunk.created, chunk.model], [first?.id, first?.created, first?.model]);
    assert(JSON.stringify(chunk).length < 65_536);
    assert(!("error" in chunk));
    if (chunk.usage) {
      assertEquals(chunk.choices.length, 0);
      assertEquals(i, chunks.length - 1);
      assertEquals(chunk.usage.total_tokens, chunk.usage.prompt_tokens + chunk.usage.completion_tokens);
      return;
    }
    assertEquals(chunk.choices.length, 1);
    for (const { index, delta, finish_reason } of chunk.choices) {
      assertEquals(state.get(index), delta.role === undefined ? "open" : undefined);
      state.set(index, finish_reason === null ? "open" : "finished");
      if (finish_reason !== null) assertEquals(delta, {});
      for (const call of delta.tool_calls ?? []) {
        const key = `${index}/${call.index}`;
        assertEquals(call.id === undefined, calls.has(key));
        calls.add(key);
      }
    }
  });
  assert(state.size > 0);
  assert([...state.values()].every((value) => value === "finished"));
}

Deno.test("normalise() is total: any source gives a canonical stream or a typed error", async () => {
  let good = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyPart, { maxLength: 6 }), async (parts) => {
      try {
        assertCanonical(await collect(parts));
        good++;
      } catch (error) {
        if (!ChatModelError.isInstance(error)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  assert(good > 100, `only ${good} sources were good: the property says nothing`);
});

Deno.test("normalise() is idempotent", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyPart, { maxLength: 6 }), async (parts) => {
      let once: ChatCompletionChunk[];
      try {
        once = await collect(parts);
      } catch {
        return; // Not a stream: nothing to compare.
      }
      assertEquals(await collect(once, { id: "other", created: 1, model: "other" }), once);
      compared++;
    }),
    { numRuns: 2000 },
  );
  assert(compared > 100, `only ${compared} streams were compared`);
});
