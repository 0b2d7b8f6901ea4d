import type { ChatMessage, ToolCall, ToolDefinition } from "../types/mod.ts";
import type { CollectedAnswer } from "./_answer_collector.ts";
import { toJson } from "./_json.ts";

/** A part of a message as it came. */
type Part = object & { readonly type: string };

/**
 * Messages as the attribute `gen_ai.input.messages` holds them.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
 */
export function inputMessages(messages: readonly ChatMessage[]): string {
  return toJson(messages.map((message) => ({ role: message.role, parts: partsOf(message) })));
}

/** Answers as the attribute `gen_ai.output.messages` holds them. */
export function outputMessages({ choices }: CollectedAnswer): string {
  return toJson(choices.map(({ message, finish_reason }) => ({
    role: "assistant",
    parts: [
      ...(message.reasoning ? [{ type: "reasoning", content: message.reasoning }] : []),
      ...contentParts(message.content ?? message.refusal),
      ...(message.tool_calls ?? []).map(toolCallPart),
    ],
    finish_reason,
  })));
}

/** Tools as the attribute `gen_ai.tool.definitions` holds them. */
export function toolDefinitions(tools: readonly ToolDefinition[]): string {
  return toJson(
    tools.map((tool) =>
      tool.type === "function" ? { type: "function", ...tool.function } : { type: "custom", ...tool.custom }
    ),
  );
}

function partsOf(message: ChatMessage): readonly object[] {
  switch (message.role) {
    case "tool":
      return [{ type: "tool_call_response", id: message.tool_call_id, response: message.content }];
    case "assistant":
      return [
        ...(message.reasoning ? [{ type: "reasoning", content: message.reasoning }] : []),
        ...contentParts(message.content ?? message.refusal),
        ...(message.tool_calls ?? []).map(toolCallPart),
      ];
    default:
      return contentParts(message.content);
  }
}

function contentParts(content: string | readonly Part[] | null | undefined): readonly object[] {
  if (content === null || content === undefined || content === "") return [];
  if (typeof content === "string") return [{ type: "text", content }];
  // Other parts stay as they came: the conventions take parts of any kind.
  return content.map((part) =>
    part.type === "text" ? { type: "text", content: "text" in part ? part.text : "" } : part
  );
}

function toolCallPart(call: ToolCall): object {
  return call.type === "function"
    ? { type: "tool_call", id: call.id, name: call.function.name, arguments: parsed(call.function.arguments) }
    : { type: "tool_call", id: call.id, name: call.custom.name, arguments: call.custom.input };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
