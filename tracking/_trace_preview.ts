import { isObject, tryParse } from "./_trace_json.ts";

/** Characters of a preview. */
const MAX_LENGTH = 1000;

type Message = { readonly [key: string]: unknown };

/**
 * What MLflow shows of a trace's input or output: the text of the last message of a role where there are messages, else
 * the beginning of the JSON.
 *
 * @param text Input or output, as a text of JSON.
 * @param role Whose message is wanted.
 * @returns The preview.
 */
export function previewOf(text: string, role: "user" | "assistant"): string {
  const messages = messagesOf(tryParse(text)) ?? [];
  const message = messages.findLast((one) => one.role === role) ?? messages.at(-1);
  return cut((message === undefined ? "" : contentOf(message)) || text);
}

function messagesOf(value: unknown): Message[] | undefined {
  if (!isObject(value)) return undefined;
  const { messages, choices, input, output, request } = value;
  if (Array.isArray(messages) && messages.length > 0) return messages.filter(isMessage);
  const [choice]: unknown[] = Array.isArray(choices) ? choices : [];
  if (isObject(choice) && isMessage(choice.message)) return [choice.message];
  if (Array.isArray(input) && input.length > 0) return input.filter(isMessage);
  if (Array.isArray(output) && output.length > 0) return output.filter(isMessage);
  return messagesOf(request);
}

function isMessage(value: unknown): value is Message {
  return isObject(value) && "role" in value && "content" in value;
}

function contentOf({ content }: Message): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  for (const part of content) {
    if (typeof part === "string") return part;
    if (isObject(part) && (part.type === "text" || part.type === "output_text")) return String(part.text ?? "");
  }
  return "";
}

/** Cuts by characters, as Python counts them: half of a pair would be no text. */
function cut(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  const characters = Array.from(text.slice(0, 2 * MAX_LENGTH + 2));
  return characters.length <= MAX_LENGTH ? text : `${characters.slice(0, MAX_LENGTH - 3).join("")}...`;
}
