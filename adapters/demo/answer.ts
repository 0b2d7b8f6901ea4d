import type {
  ChatMessage,
  ChatParams,
  FinishReason,
  JsonObjectResponseFormat,
  JsonSchemaResponseFormat,
} from "../../types/mod.ts";
import { countCallWords, describeContent, lastPrompt, lastToolResults, lastUserContent } from "./conversation.ts";
import { toJsonText } from "./json_text.ts";
import { readPromptFacts } from "./prompt_facts.ts";
import { fakeValue } from "./schema_faker.ts";
import { type DemoCall, planCalls } from "./tool_calls.ts";
import { countWords, keepWords } from "./words.ts";

/** One whole answer of the demo model, before it is put into a response or a stream. */
export interface DemoAnswer {
  /** Thinking; "" if none was asked for. */
  readonly reasoning: string;
  /** Text; `null` if tools are called. */
  readonly content: string | null;
  /** Calls. */
  readonly calls: readonly DemoCall[];
  /** Why it ended. */
  readonly finishReason: FinishReason;
  /** Words of the thinking. */
  readonly reasoningTokens: number;
  /** Words of everything. */
  readonly tokens: number;
}

const WHAT_IT_IS = "This is the demo model of chat-model: it does not think, it echoes.";
const HOW_TO_GET_A_REAL_ONE =
  "For a real model install Ollama, run 'ollama pull llama3.2:1b' and start the server again.";
const INTRODUCTION = `${WHAT_IT_IS} ${HOW_TO_GET_A_REAL_ONE}`;
const ECHO = `${WHAT_IT_IS} You said: `;
const ECHO_WORDS = countWords(ECHO);
/** Who says next to nothing is told where to find a model with more to say. */
const ECHO_OF_FEW = `${INTRODUCTION} You said: `;
const ECHO_OF_FEW_WORDS = countWords(ECHO_OF_FEW);
const REASONING = "The demo model looks at the conversation and fills in what it finds.";
const CLOSINGS = ["That is all.", "Over and out.", "Now you.", "What else?", "Say more.", "Done.", "So much for that."];
const NO_CALLS: readonly DemoCall[] = [];

/**
 * Makes an answer.
 *
 * @param messages The conversation.
 * @param params How to answer.
 * @param index Which of the `n` answers to make; they differ.
 * @returns The answer, cut at `stop` and at the token limit.
 * @throws {ValidationError} If `tool_choice` demands a tool that is not offered.
 */
export function makeAnswer(messages: readonly ChatMessage[], params: ChatParams, index: number): DemoAnswer {
  const limit = params.max_completion_tokens ?? params.max_tokens ?? Infinity;
  const wholeReasoning = wantsReasoning(params) ? REASONING : "";
  const reasoning = limit === Infinity ? wholeReasoning : keepWords(wholeReasoning, limit);
  const reasoningTokens = reasoning === "" ? 0 : countWords(reasoning);
  const rest = limit - reasoningTokens;
  if (!endsWithResults(messages)) {
    const calls = planCalls(messages, params);
    if (calls !== undefined) return withCalls(calls, { reasoning, reasoningTokens, limit: rest });
  }
  const written = writeText(messages, params, index);
  const whole = cutAtStop(written.text, params.stop);
  // Counting is most of the work of a short answer: it is done once.
  const wholeTokens = whole === written.text && written.words !== undefined ? written.words : countWords(whole);
  const isCut = wholeTokens > rest || (rest <= 0 && limit !== Infinity);
  return {
    reasoning,
    content: isCut ? keepWords(whole, rest) : whole,
    calls: NO_CALLS,
    finishReason: isCut ? "length" : "stop",
    reasoningTokens,
    tokens: reasoningTokens + (isCut ? Math.min(wholeTokens, rest) : wholeTokens),
  };
}

/** A call that does not fit below the limit as a whole is left out, with all behind it: half a call is of no use. */
function withCalls(
  calls: readonly DemoCall[],
  options: { readonly reasoning: string; readonly reasoningTokens: number; readonly limit: number },
): DemoAnswer {
  const { reasoning, reasoningTokens, limit } = options;
  let tokens = 0;
  const fitting: DemoCall[] = [];
  for (const call of calls) {
    const size = countCallWords(call.name, call.input);
    if (tokens + size > limit) break;
    tokens += size;
    fitting.push(call);
  }
  const usual: FinishReason = calls[0]?.kind === "legacy" ? "function_call" : "tool_calls";
  return {
    reasoning,
    content: fitting.length === 0 ? "" : null,
    calls: fitting,
    finishReason: fitting.length < calls.length ? "length" : usual,
    reasoningTokens,
    tokens: reasoningTokens + tokens,
  };
}

function wantsReasoning(params: ChatParams): boolean {
  const effort = params.reasoning_effort ?? params.reasoning?.effort;
  return effort !== undefined && effort !== null && effort !== "none";
}

/** A text and, if known, how many words it has. */
interface WrittenText {
  readonly text: string;
  readonly words?: number;
}

function writeText(messages: readonly ChatMessage[], params: ChatParams, index: number): WrittenText {
  const format = params.response_format;
  if (format !== undefined && format.type !== "text") return { text: writeJson(messages, format, index) };
  const written = endsWithResults(messages) ? { text: writeResults(messages) } : writeEcho(messages);
  if (index === 0 && params.seed === undefined) return written;
  const numbered = index === 0 ? written.text : `(${index + 1}) ${written.text}`;
  return { text: params.seed === undefined ? numbered : `${numbered} ${closingOf(params.seed)}` };
}

function endsWithResults(messages: readonly ChatMessage[]): boolean {
  const role = messages.at(-1)?.role;
  return role === "tool" || role === "function";
}

function writeResults(messages: readonly ChatMessage[]): string {
  return lastToolResults(messages)
    .map(({ name, text }) => `The tool${name === undefined ? "" : ` ${name}`} answered: ${text}`)
    .join("\n");
}

function writeEcho(messages: readonly ChatMessage[]): WrittenText {
  const said = describeContent(lastUserContent(messages));
  const words = countWords(said);
  if (words === 0) return { text: INTRODUCTION };
  return words <= 3
    ? { text: ECHO_OF_FEW + said, words: ECHO_OF_FEW_WORDS + words }
    : { text: ECHO + said, words: ECHO_WORDS + words };
}

function writeJson(
  messages: readonly ChatMessage[],
  format: JsonObjectResponseFormat | JsonSchemaResponseFormat,
  index: number,
): string {
  const schema = format.type === "json_schema" ? format.json_schema.schema : undefined;
  if (schema !== undefined) {
    const facts = readPromptFacts(lastPrompt(messages));
    return toJsonText(fakeValue(schema, { facts, optional: "all", variant: index }) ?? {});
  }
  const said = endsWithResults(messages) ? writeResults(messages) : describeContent(lastUserContent(messages));
  return toJsonText(writeObject(said, index));
}

/** An object with the keys that the prompt asks for in quotation marks behind the word "keys", else with an echo. */
function writeObject(said: string, index: number): { readonly [key: string]: unknown } {
  const behind = /\b(?:keys?|fields?)\b/i.exec(said);
  const names = behind === null ? [] : readPromptFacts(said.slice(behind.index)).items
    .filter((fact) => fact.kind === "text").map((fact) => fact.value);
  const number = index === 0 ? "" : ` ${index + 1}`;
  if (names.length > 0) return Object.fromEntries(names.map((name) => [name, `demo ${name}${number}`]));
  return index === 0 ? { echo: said } : { echo: said, answer: index + 1 };
}

function closingOf(seed: number): string {
  return CLOSINGS[Math.abs(seed) % CLOSINGS.length] ?? "";
}

function cutAtStop(text: string, stop: string | readonly string[] | undefined): string {
  if (stop === undefined) return text;
  let end = text.length;
  for (const one of typeof stop === "string" ? [stop] : stop) {
    const position = one === "" ? -1 : text.indexOf(one);
    if (position !== -1 && position < end) end = position;
  }
  return text.slice(0, end);
}
