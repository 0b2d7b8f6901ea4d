/** From items to the messages of a conversation. Pure. */
import type {
  AssistantContentPart,
  AssistantMessage,
  ChatMessage,
  TextPart,
  ToolCall,
  UserContentPart,
} from "../../types/mod.ts";
import type { Item, MessageItem, ReasoningItem } from "./_item_schema.ts";

/** An assistant's message in the making: thinking, words and calls are items of their own, but one message. */
interface OpenAnswer {
  reasoning: string;
  content: AssistantMessage["content"];
  toolCalls: ToolCall[];
}

/** Makes messages of items. What the model gave in one turn, in whatever order, is one message. */
export function toMessages(items: readonly Item[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let open: OpenAnswer | undefined;
  const answer = (): OpenAnswer => open ??= { reasoning: "", content: undefined, toolCalls: [] };
  const close = (): void => {
    if (open !== undefined) messages.push(closeAnswer(open));
    open = undefined;
  };
  for (const item of items) {
    switch (item.type) {
      case "reasoning":
        // Thinking begins a turn, unless there was only thinking so far.
        if (open?.content !== undefined || (open?.toolCalls.length ?? 0) > 0) close();
        answer().reasoning += textOf(item);
        break;
      case "function_call":
        answer().toolCalls.push({
          id: item.call_id,
          type: "function",
          function: { name: item.name, arguments: item.arguments },
        });
        break;
      case "custom_tool_call":
        answer().toolCalls.push({ id: item.call_id, type: "custom", custom: { name: item.name, input: item.input } });
        break;
      case "function_call_output":
      case "custom_tool_call_output":
        close();
        messages.push({ role: "tool", tool_call_id: item.call_id, content: toTextContent(item.output) });
        break;
      default:
        if (item.role === "assistant") {
          if (open?.content !== undefined) close();
          answer().content = toAssistantContent(item.content);
        } else {
          close();
          messages.push(toMessage(item));
        }
    }
  }
  close();
  return messages;
}

function closeAnswer({ reasoning, content, toolCalls }: OpenAnswer): AssistantMessage {
  return {
    role: "assistant",
    ...content !== undefined && { content },
    ...toolCalls.length > 0 && { tool_calls: toolCalls },
    ...reasoning !== "" && { reasoning },
  };
}

/** The thinking itself where it is there, else its summary. */
function textOf({ content = [], summary = [] }: ReasoningItem): string {
  return (content.length > 0 ? content : summary).map(({ text }) => text).join("\n\n");
}

function toMessage(item: Exclude<MessageItem, { readonly role: "assistant" }>): ChatMessage {
  return item.role === "user"
    ? { role: "user", content: toUserContent(item.content) }
    : { role: item.role, content: toTextContent(item.content) };
}

type Content<Role extends MessageItem["role"]> = Extract<MessageItem, { readonly role: Role }>["content"];

function toTextContent(content: Content<"system">): string | TextPart[] {
  return typeof content === "string" ? content : plain(content.map(({ text }) => ({ type: "text", text })));
}

function toAssistantContent(content: Content<"assistant">): string | AssistantContentPart[] {
  if (typeof content === "string") return content;
  return plain(
    content.map((part): AssistantContentPart =>
      part.type === "refusal" ? { type: "refusal", refusal: part.refusal } : { type: "text", text: part.text }
    ),
  );
}

function toUserContent(content: Content<"user">): string | UserContentPart[] {
  if (typeof content === "string") return content;
  return plain(content.map((part): UserContentPart => {
    switch (part.type) {
      case "input_text":
        return { type: "text", text: part.text };
      case "input_image": {
        const { image_url: url, detail } = part;
        return { type: "image_url", image_url: { url, ...detail !== undefined && { detail } } };
      }
      case "input_audio":
        return { type: "input_audio", input_audio: part.input_audio };
      case "input_file": {
        const { file_data, filename, file_id } = part;
        return {
          type: "file",
          file: {
            ...file_data !== undefined && { file_data },
            ...filename !== undefined && { filename },
            ...file_id !== undefined && { file_id },
          },
        };
      }
    }
  }));
}

/** One text as a string: clients of this API send parts where they would send a string to the other one. */
function plain<Part extends { readonly type: string }>(
  parts: readonly (Part | TextPart)[],
): string | (Part | TextPart)[] {
  const [first, second] = parts;
  return first !== undefined && isText(first) && second === undefined ? first.text : [...parts];
}

function isText(part: { readonly type: string }): part is TextPart {
  return part.type === "text";
}
