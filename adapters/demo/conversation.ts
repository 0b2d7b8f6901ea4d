import type { ChatMessage } from "../../types/mod.ts";
import { countWords } from "./words.ts";

/** A part of a message's content, as far as it is told here. */
interface ContentPart {
  readonly type: string;
  readonly text?: string;
  readonly refusal?: string;
  readonly file?: { readonly filename?: string; readonly file_id?: string };
}

/**
 * The text of a content, with everything else described: `[image]`, `[audio]`, `[file report.pdf]`.
 *
 * @param content A message's content.
 * @returns The text; parts have a space between them.
 */
export function describeContent(content: string | readonly ContentPart[] | undefined): string {
  if (content === undefined || typeof content === "string") return content ?? "";
  return content.map(describePart).join(" ");
}

function describePart(part: ContentPart): string {
  switch (part.type) {
    case "text":
      return part.text ?? "";
    case "refusal":
      return part.refusal ?? "";
    case "image_url":
      return "[image]";
    case "input_audio":
      return "[audio]";
    case "file":
      return `[file ${part.file?.filename ?? part.file?.file_id ?? "without name"}]`;
    default:
      return `[${part.type}]`;
  }
}

/**
 * The last message of the user.
 *
 * @param messages The conversation.
 * @returns Its content, or "" if there is none.
 */
export function lastUserContent(messages: readonly ChatMessage[]): string | readonly ContentPart[] {
  for (let position = messages.length - 1; position >= 0; position--) {
    const message = messages[position];
    if (message?.role === "user") return message.content;
  }
  return "";
}

/**
 * The text of the user's last message without its other parts: what values are taken from.
 *
 * @param messages The conversation.
 * @returns The text.
 */
export function lastPrompt(messages: readonly ChatMessage[]): string {
  const content = lastUserContent(messages);
  return typeof content === "string"
    ? content
    : content.filter((part) => part.type === "text").map((part) => part.text).join(" ");
}

/** What a tool answered. */
export interface ToolResult {
  /** Name of the tool; `undefined` if the conversation does not tell. */
  readonly name: string | undefined;
  /** Its answer. */
  readonly text: string;
}

/**
 * The results of tools at the end of a conversation.
 *
 * @param messages The conversation.
 * @returns The results in order; empty if the last message is no tool's.
 */
export function lastToolResults(messages: readonly ChatMessage[]): ToolResult[] {
  const results: ToolResult[] = [];
  for (let position = messages.length - 1; position >= 0; position--) {
    const message = messages[position];
    if (message?.role === "tool") {
      const name = message.name ?? nameOfCall(messages, message.tool_call_id);
      results.unshift({ name, text: describeContent(message.content) });
    } else if (message?.role === "function") {
      results.unshift({ name: message.name, text: message.content ?? "" });
    } else {
      break;
    }
  }
  return results;
}

function nameOfCall(messages: readonly ChatMessage[], id: string): string | undefined {
  for (let position = messages.length - 1; position >= 0; position--) {
    const message = messages[position];
    const call = message?.role === "assistant" ? message.tool_calls?.find((call) => call.id === id) : undefined;
    if (call !== undefined) return call.type === "function" ? call.function.name : call.custom.name;
  }
  return undefined;
}

/**
 * Counts the words of a whole conversation, calls included.
 *
 * @param messages The conversation.
 * @returns How many words it has.
 */
export function countPromptWords(messages: readonly ChatMessage[]): number {
  let count = 0;
  for (const message of messages) {
    const { content } = message;
    count += countWords(typeof content === "string" ? content : describeContent(content));
    if (message.role !== "assistant") continue;
    if (message.refusal !== undefined) count += countWords(message.refusal);
    for (const call of message.tool_calls ?? []) {
      count += call.type === "function"
        ? countCallWords(call.function.name, call.function.arguments)
        : countCallWords(call.custom.name, call.custom.input);
    }
    const { function_call } = message;
    if (function_call !== undefined) count += countCallWords(function_call.name, function_call.arguments);
  }
  return count;
}

/**
 * Counts the words of a call.
 *
 * @param name Name of the tool.
 * @param input Its arguments' JSON text, or its input.
 * @returns How many words it has.
 */
export function countCallWords(name: string, input: string): number {
  return countWords(name) + countWords(input);
}
