/** What the tests of `normalise` share. */
import { normalise } from "../../streaming/mod.ts";
import type { ChatCompletionChunk } from "../../types/mod.ts";

const OPTIONS = { id: "chatcmpl-1", created: 1_700_000_000, model: "m" };

export async function collect(
  source: Iterable<unknown> | AsyncIterable<unknown>,
  options = OPTIONS,
): Promise<ChatCompletionChunk[]> {
  // deno-lint-ignore no-explicit-any -- what authors yield is not what they should
  return await Array.fromAsync(normalise(source as any, options));
}

/** The deltas of choice 0 and what ends it. */
export async function deltas(source: Iterable<unknown>): Promise<unknown[]> {
  return (await collect(source)).map(({ choices: [choice], usage }) =>
    usage ? { usage } : choice?.finish_reason ? { finish: choice.finish_reason } : choice?.delta
  );
}

export const ROLE = { role: "assistant", content: "" } as const;

export const TOOL_ROLE = { role: "assistant", content: null } as const;

export const STOP = { finish: "stop" };

export const TOOL_CALLS = { finish: "tool_calls" };

/** `tool_calls` of one delta of a chunk, as servers send it. */
export function callChunk(call: unknown): unknown {
  return { choices: [{ index: 0, delta: { tool_calls: [call] } }] };
}

export function begin(index: number, id: string, name: string): unknown {
  return { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] };
}

export function fragment(index: number, text: string): unknown {
  return { tool_calls: [{ index, function: { arguments: text } }] };
}
