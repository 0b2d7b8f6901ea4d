import type { ChatMessage, TextPart, ToolCall } from "../../types/mod.ts";
import { ChatModelError } from "../../types/mod.ts";

/** A conversation as the Responses API takes it. */
export interface ResponseInput {
  /** The first message, if it is the system's and a text. */
  readonly instructions?: string;
  /** All others. */
  readonly input: readonly object[];
}

type AssistantMessage = Extract<ChatMessage, { readonly role: "assistant" }>;
type UserParts = Exclude<Extract<ChatMessage, { readonly role: "user" }>["content"], string>;

/**
 * Turns messages into items of the Responses API. Pure.
 *
 * Thinking of earlier answers is left out: OpenAI's API takes it only as the items that it made itself.
 *
 * @param messages The conversation.
 * @returns The instructions and the items.
 * @throws {ChatModelError} If a message holds what that API has no place for (code `unsupported_feature`).
 */
export function convertInput(messages: readonly ChatMessage[]): ResponseInput {
  const [first, ...others] = messages;
  const isInstructions = first?.role === "system" && typeof first.content === "string" && first.name === undefined &&
    others.length > 0;
  const converter = new InputConverter();
  messages.forEach((message, i) => {
    if (i > 0 || !isInstructions) converter.push(message, `messages.${i}`);
  });
  const { items: input } = converter;
  return isInstructions && typeof first.content === "string" ? { instructions: first.content, input } : { input };
}

class InputConverter {
  readonly items: object[] = [];
  readonly #customCalls = new Set<string>();
  /** Id of the latest call in the deprecated form, which has none. */
  #functionCallId = "";

  push(message: ChatMessage, path: string): void {
    // Tools' messages have the name of the tool, which the call tells.
    if (message.role !== "tool" && message.role !== "function" && message.name !== undefined) {
      throw unsupported(`${path}.name`, "names of speakers");
    }
    switch (message.role) {
      case "system":
      case "developer":
        this.items.push({ role: message.role, content: toInputText(message.content) });
        break;
      case "user":
        this.items.push({ role: "user", content: toUserContent(message.content) });
        break;
      case "assistant":
        this.#pushAnswer(message, path);
        break;
      case "tool": {
        const { tool_call_id: call_id, content } = message;
        const type = this.#customCalls.has(call_id) ? "custom_tool_call_output" : "function_call_output";
        this.items.push({ type, call_id, output: toInputText(content) });
        break;
      }
      case "function":
        this.items.push({
          type: "function_call_output",
          call_id: this.#functionCallId,
          output: message.content ?? "",
        });
    }
  }

  #pushAnswer({ content, refusal, audio, tool_calls = [], function_call }: AssistantMessage, path: string): void {
    if (audio !== undefined) throw unsupported(`${path}.audio`, "spoken answers");
    const parts = typeof content === "string"
      ? [{ type: "output_text", text: content }]
      : (content ?? []).map((part) => part.type === "text" ? { type: "output_text", text: part.text } : part);
    if (refusal !== undefined) parts.push({ type: "refusal", refusal });
    const [only] = parts;
    // As a text where it can be one: more servers understand that.
    if (typeof content === "string" && parts.length === 1 && only !== undefined) {
      this.items.push({ role: "assistant", content });
    } else if (parts.length > 0) this.items.push({ role: "assistant", content: parts });
    for (const call of tool_calls) this.#pushCall(call);
    if (function_call !== undefined) {
      this.#functionCallId = `call_${this.items.length}`;
      const { name, arguments: text } = function_call;
      this.items.push({ type: "function_call", call_id: this.#functionCallId, name, arguments: text });
    }
  }

  #pushCall(call: ToolCall): void {
    const { id: call_id } = call;
    if (call.type === "custom") {
      this.#customCalls.add(call_id);
      this.items.push({ type: "custom_tool_call", call_id, ...call.custom });
    } else this.items.push({ type: "function_call", call_id, ...call.function });
  }
}

function toInputText(content: string | readonly TextPart[]): string | object[] {
  return typeof content === "string" ? content : content.map(({ text }) => ({ type: "input_text", text }));
}

function toUserContent(content: string | UserParts): string | object[] {
  if (typeof content === "string") return content;
  return content.map((part) => {
    switch (part.type) {
      case "text":
        return { type: "input_text", text: part.text };
      case "image_url": {
        const { url: image_url, detail = "auto" } = part.image_url;
        return { type: "input_image", image_url, detail };
      }
      case "input_audio":
        return part;
      case "file":
        return { type: "input_file", ...part.file };
    }
  });
}

/** Refuses what the Responses API has no place for. */
export function unsupported(param: string, what: string): ChatModelError {
  return new ChatModelError(
    `Cannot ask for a response: "${param}": the Responses API has no ${what}. Leave it out, or use api "chat"`,
    { code: "unsupported_feature", param },
  );
}
