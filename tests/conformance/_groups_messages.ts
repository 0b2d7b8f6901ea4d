import { parseChatChunk, parseChatMessage, parseChatResponse } from "../../types/mod.ts";
import type { Group } from "./_case.ts";
import {
  CHUNKS_DIFFERENT,
  MESSAGES_DIFFERENT,
  RESPONSES_DIFFERENT,
  TOOL_CALLS_DIFFERENT,
} from "./_different_messages.ts";
import { answered, answeredMessage, answeredToolCall, at } from "./_run.ts";
import { withoutForced } from "./_meaning.ts";
import { isRecord, type Vector } from "./_vectors.ts";

/** Vectors on what is filled in. Here that is done in what an author returns; a reader wants it said. */
const FILLED = new Set([
  "msg: tool_calls dict, no content",
  "msg: refusal + tool_calls",
  "toolcall: no id",
  "fargs.to_tool_call()",
  "choice: minimal",
]);

/** Messages, of a request or an answer. */
export const MESSAGES: Group = {
  title: "ChatMessage",
  runs: "`parseChatMessage`; where a model makes calls, what its `predict` returns",
  holds: ({ name }) => /^msg\b/.test(name),
  run: runMessage,
  different: MESSAGES_DIFFERENT,
};

function runMessage({ name, input }: Vector): unknown {
  if (name === "msg: mixed tool_calls dict+ToolCall") {
    const [call] = Array.isArray(input) ? input : [];
    return parseChatMessage({ role: "assistant", tool_calls: [{ ...CALL, ...call }, new Call()] });
  }
  if (FILLED.has(name)) return answeredMessage(input);
  if (!isRecord(input) || !Array.isArray(input.tool_calls)) return parseChatMessage(input);
  const calls = input.tool_calls.map((call: unknown) => isRecord(call) ? { ...CALL, ...call } : call);
  return parseChatMessage({ ...input, tool_calls: calls });
}

/** What comes nearest to an instance of MLflow's class. */
class Call {
  readonly id = "2";
  readonly type = "function";
  readonly function = { name: "f", arguments: "{}" };
}

/** Tool calls. */
export const TOOL_CALLS: Group = {
  title: "ToolCall",
  runs: "`tool_calls` in `parseChatMessage`; what is filled in: in what `predict` returns",
  holds: ({ name }) => /^(toolcall|fargs)\b/.test(name),
  run: runToolCall,
  different: TOOL_CALLS_DIFFERENT,
};

async function runToolCall({ name, input }: Vector): Promise<unknown> {
  const whole = name.startsWith("toolcall");
  if (FILLED.has(name)) return await answeredToolCall(whole ? input : { function: input });
  const call = { ...CALL, ...(whole ? record(input) : { function: input }) };
  const read = at(parseChatMessage({ role: "assistant", tool_calls: [call] }), "tool_calls", 0);
  return whole ? read : at(read, "function");
}

// What MLflow's classes set where it is not given, and our readers want said.
const CALL = { id: "1", type: "function" };
const CHOICE = { index: 0, finish_reason: "stop" };
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
const ENVELOPE = { id: "c", created: 1700000000, model: "m" };

function parseChoice(choice: unknown): unknown {
  const chunk = parseChatChunk({ ...ENVELOPE, object: "chat.completion.chunk", choices: [choice] });
  return chunk.choices[0];
}

/** Pieces of streamed answers. */
export const CHUNKS: Group = {
  title: "ChatCompletionChunk",
  runs: "`parseChatChunk`",
  holds: ({ name }) => /^(delta|chunkchoice|chunk)\b/.test(name),
  run: ({ name, input }) => {
    if (name.startsWith("delta")) return at(parseChoice({ index: 0, delta: input }), "delta");
    if (name.startsWith("chunkchoice")) return parseChoice({ index: 0, ...record(input) });
    return parseChatChunk({ ...ENVELOPE, object: "chat.completion.chunk", ...record(input) });
  },
  read: readGiven,
  different: CHUNKS_DIFFERENT,
};

/** Answers: their choices, log probabilities and usage. */
export const RESPONSES: Group = {
  title: "ChatCompletionResponse",
  runs: "`parseChatResponse`; what is filled in: in what `predict` returns",
  holds: ({ name }) => /^(toplp|tokenlp|choice|usage|response)\b/.test(name),
  run: runResponse,
  read: readGiven,
  different: RESPONSES_DIFFERENT,
};

async function runResponse({ name, input }: Vector): Promise<unknown> {
  if (FILLED.has(name)) return at(await answered({ choices: [input] }), "choices", 0);
  const [kind] = name.split(":");
  const logprob = { token: "a", logprob: -0.1, top_logprobs: [] };
  switch (kind) {
    case "toplp":
      return at(parseLogprob({ ...logprob, top_logprobs: [input] }), "top_logprobs", 0);
    case "tokenlp":
      return parseLogprob(input);
    case "choice":
      return at(parseResponse({ choices: [{ ...CHOICE, ...record(input) }] }), "choices", 0);
    case "usage":
      return at(parseResponse({ choices: [], usage: { ...USAGE, ...record(input) } }), "usage");
    default:
      return parseResponse(record(input));
  }
}

function parseResponse(response: { readonly [key: string]: unknown }): unknown {
  return parseChatResponse({ ...ENVELOPE, object: "chat.completion", ...response });
}

function parseLogprob(logprob: unknown): unknown {
  const choice = { ...CHOICE, message: { role: "assistant" }, logprobs: { content: [logprob] } };
  return at(parseResponse({ choices: [choice] }), "choices", 0, "logprobs", "content", 0);
}

function readGiven(value: unknown, { name, input }: Vector): unknown {
  const own = withoutForced(value, input);
  return /^(response|chunk)\b/.test(name) ? picked(own, input) : own;
}

/** Members of an answer that the vector gave: the others are filled in, by MLflow as by us. */
function picked(answer: unknown, input: unknown): unknown {
  return Object.fromEntries(Object.keys(record(input)).map((key) => [key, at(answer, key)]));
}

function record(input: unknown): { readonly [key: string]: unknown } {
  return isRecord(input) ? input : {};
}
