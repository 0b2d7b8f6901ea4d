import { type ChatCompletionResponse, type ChatMessage, parseChatMessage, ValidationError } from "../../types/mod.ts";
import { canonicalJson, isRecord, sha256 } from "../_canonical_json.ts";
import type { ScoredRow } from "../scorers/scorer.ts";

/** A piece of data that a judge is shown. */
export interface Part {
  /** What it is, such as `outputs`. */
  readonly name: string;
  /** The data. */
  readonly text: string;
}

/**
 * Puts data between marks that the data itself cannot contain, as they have a digest of it.
 *
 * @param parts The data.
 * @returns The text with marks, and how the marks end.
 */
export function delimit(parts: readonly Part[]): { readonly text: string; readonly mark: string } {
  const mark = sha256(canonicalJson(parts)).slice(0, 16);
  const text = parts.map(({ name, text }) => `<${name}-${mark}>\n${text}\n</${name}-${mark}>`).join("\n\n");
  return { text, mark };
}

/** What was asked, as a judge is shown it: messages one by one, other inputs as JSON. */
export function showInputs({ messages, inputs }: ScoredRow): string {
  return messages.length > 0 ? showMessages(messages) : toText(inputs);
}

/** The answer, as a judge is shown it. */
export function showOutputs({ response, output, text }: ScoredRow): string {
  if (response !== undefined) return showAnswer(response);
  const held = heldMessages(output);
  if (held !== undefined) return showMessages(held);
  return typeof output === "string" ? output : toText(output ?? text);
}

/** The whole conversation with the answer, as a judge is shown it. */
export function showConversation(row: ScoredRow): string {
  const held = row.response === undefined ? heldMessages(row.output) : undefined;
  if (held !== undefined) return showMessages(held);
  return [showInputs(row), `[assistant]\n${showOutputs(row)}`].join("\n\n");
}

/** What is known to be right, as a judge is shown it. */
export function showExpectations({ expectations }: ScoredRow): string {
  return Object.entries(expectations).map(([name, value]) => `${name}: ${showValue(value)}`).join("\n");
}

/** A text as it is, a list of texts with a dash before each, anything else as JSON. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.map((item) => `\n- ${item}`).join("");
  }
  return toText(value);
}

/** The messages of outputs that are a whole conversation. */
function heldMessages(output: unknown): readonly ChatMessage[] | undefined {
  if (!isRecord(output) || !Array.isArray(output.messages)) return undefined;
  try {
    return output.messages.map((message: unknown) => parseChatMessage(message));
  } catch (error) {
    // What a function gives may have anything by that name: it is shown as JSON.
    if (error instanceof ValidationError) return undefined;
    throw error;
  }
}

function showAnswer(response: ChatCompletionResponse): string {
  const message = response.choices[0]?.message;
  if (message === undefined) return "(nothing)";
  const { content, refusal, tool_calls = [] } = message;
  const calls = tool_calls.map((call) => `(calls a tool: ${toText(call)})`);
  const said = [content ?? "", refusal === null ? "" : `(refuses: ${refusal})`, ...calls].filter((text) => text !== "");
  return said.length === 0 ? "(nothing)" : said.join("\n");
}

/** Messages, one after the other, each with its role. */
export function showMessages(messages: readonly ChatMessage[]): string {
  return messages.map((message) => `[${message.role}]\n${showMessage(message)}`).join("\n\n");
}

function showMessage(message: ChatMessage): string {
  const { content } = message;
  const texts = typeof content === "string"
    ? [content]
    // Of what is no text a judge is told that it was there.
    : content?.map((part) => "text" in part ? part.text : `(${part.type})`) ?? [];
  const calls = message.role === "assistant" ? message.tool_calls ?? [] : [];
  return [...texts, ...calls.map((call) => `(calls a tool: ${toText(call)})`)].join("\n");
}

function toText(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "";
}
