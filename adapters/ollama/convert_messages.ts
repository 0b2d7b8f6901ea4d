import type { AssistantMessage, ChatMessage, ToolCall, UserContentPart } from "../../types/mod.ts";
import { isAllowedHost, type RemoteImage } from "./fetch_image.ts";
import { decodeImageUrl, normaliseBase64 } from "./images.ts";
import { holdsInfinity, parseExactly } from "./_large_numbers.ts";
import { isRecord, type RequestIssues } from "./_request_issues.ts";
import type { OllamaMessage, OllamaToolCall } from "./wire.ts";

/** An image that is still to be fetched, and where its data belongs. */
export interface PendingImage extends RemoteImage {
  /** Position of the message. */
  readonly message: number;
  /** Position among the message's images. */
  readonly image: number;
}

/** A conversation in Ollama's form. */
export interface ConvertedMessages {
  /** The messages. In place of an image that is still to be fetched stands an empty text. */
  readonly messages: readonly OllamaMessage[];
  /** Images to fetch. */
  readonly pendingImages: readonly PendingImage[];
  /** Path of the first image; absent if there is none. */
  readonly imagePath?: string;
  /** Path of the first sound; absent if there is none. */
  readonly audioPath?: string;
  /** Paths of what Ollama has no place for. */
  readonly ignored: readonly string[];
}

/** Options for {@linkcode convertMessages}. */
export interface ConvertMessagesOptions {
  /** Hosts that images may be fetched from. @default {[]} */
  readonly allowedImageHosts?: readonly string[];
}

/** Most images by URL in a request: each is held in memory. */
const MAX_PENDING_IMAGES = 32;

interface Conversion {
  readonly issues: RequestIssues;
  readonly allowedImageHosts: readonly string[];
  readonly pendingImages: PendingImage[];
  readonly ignored: string[];
  imagePath?: string;
  audioPath?: string;
}

/**
 * Turns a conversation into Ollama's form: one message each, its parts merged into one text and a list of images,
 * `developer` as `system`, calls with their arguments as objects, results of tools with the tool's name.
 *
 * @param messages The conversation.
 * @param issues Where to note what is wrong.
 * @param options What is allowed.
 * @returns The conversation for Ollama.
 */
export function convertMessages(
  messages: readonly ChatMessage[],
  issues: RequestIssues,
  options: ConvertMessagesOptions = {},
): ConvertedMessages {
  const { allowedImageHosts = [] } = options;
  const conversion: Conversion = { issues, allowedImageHosts, pendingImages: [], ignored: [] };
  if (messages.length === 0) issues.add({ path: "messages", message: "must hold at least one message" });
  const converted = messages.map((message, i) => convertMessage(message, { messages, position: i, conversion }));
  const { pendingImages, ignored, imagePath, audioPath } = conversion;
  return {
    messages: converted,
    pendingImages,
    ignored,
    ...(imagePath !== undefined && { imagePath }),
    ...(audioPath !== undefined && { audioPath }),
  };
}

interface Place {
  readonly messages: readonly ChatMessage[];
  readonly position: number;
  readonly conversion: Conversion;
}

function convertMessage(message: ChatMessage, place: Place): OllamaMessage {
  const { position, conversion } = place;
  // A tool's name has its place; for all other roles Ollama knows no names.
  if (message.role !== "tool" && message.role !== "function" && message.name !== undefined) {
    conversion.ignored.push(`messages.${position}.name`);
  }
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content: joinTexts(message.content) };
    case "user":
      return typeof message.content === "string"
        ? { role: "user", content: message.content }
        : convertUserParts(message.content, position, conversion);
    case "assistant":
      return convertAssistantMessage(message, position, conversion);
    case "tool": {
      const name = message.name ?? findToolName(place.messages, position, message.tool_call_id);
      return {
        role: "tool",
        content: joinTexts(message.content),
        ...(name !== undefined && { tool_name: name }),
        tool_call_id: message.tool_call_id,
      };
    }
    case "function":
      return { role: "tool", content: message.content ?? "", tool_name: message.name };
  }
}

/**
 * Text parts are blocks of their own, often without white space at their ends, so a line break keeps them apart.
 * (Ollama's own OpenAI routes make a message of each, which its templates set apart by a blank line.)
 */
const BETWEEN_PARTS = "\n";

function joinTexts(content: string | readonly { readonly text: string }[]): string {
  return typeof content === "string"
    ? content
    : content.map(({ text }) => text).filter((text) => text !== "").join(BETWEEN_PARTS);
}

function convertUserParts(
  parts: readonly UserContentPart[],
  position: number,
  conversion: Conversion,
): OllamaMessage {
  const texts: string[] = [];
  const images: string[] = [];
  parts.forEach((part, i) => {
    const path = `messages.${position}.content.${i}`;
    switch (part.type) {
      case "text":
        if (part.text !== "") texts.push(part.text);
        break;
      case "image_url":
        conversion.imagePath ??= path;
        if (part.image_url.detail === "low" || part.image_url.detail === "high") {
          conversion.ignored.push(`${path}.image_url.detail`);
        }
        takeImage(part.image_url.url, { path: `${path}.image_url.url`, message: position, images, conversion });
        break;
      case "input_audio": {
        conversion.audioPath ??= path;
        const base64 = normaliseBase64(part.input_audio.data);
        if (base64 !== undefined) images.push(base64);
        else conversion.issues.add({ path: `${path}.input_audio.data`, message: "must be valid base64 data" });
        break;
      }
      case "file":
        conversion.issues.addUnsupported(
          path,
          "must not be a file, as models of Ollama read none: send its text as a text part, or its pages as images",
        );
        break;
    }
  });
  return { role: "user", content: texts.join(BETWEEN_PARTS), ...(images.length > 0 && { images }) };
}

function takeImage(
  url: string,
  to: { readonly path: string; readonly message: number; readonly images: string[]; readonly conversion: Conversion },
): void {
  const { path, message, images, conversion } = to;
  const decoded = decodeImageUrl(url);
  switch (decoded.kind) {
    case "data":
      images.push(decoded.base64);
      break;
    case "remote":
      if (!isAllowedHost(decoded.url, conversion.allowedImageHosts)) {
        conversion.issues.addUnsupported(
          path,
          `must not be at host "${decoded.url.host}": images are fetched only from hosts in allowedImageHosts. ` +
            "Send the image as a data: URL",
        );
      } else if (conversion.pendingImages.length >= MAX_PENDING_IMAGES) {
        conversion.issues.add({ path, message: `must not be one of more than ${MAX_PENDING_IMAGES} images by URL` });
      }
      conversion.pendingImages.push({ url: decoded.url, path, message, image: images.length });
      images.push("");
      break;
    case "invalid":
      conversion.issues.add({ path, message: decoded.message }, "invalid_image_url");
      break;
  }
}

function convertAssistantMessage(
  message: AssistantMessage,
  position: number,
  conversion: Conversion,
): OllamaMessage {
  const texts = typeof message.content === "string"
    ? [message.content]
    : (message.content ?? []).map((part) => part.type === "text" ? part.text : part.refusal);
  if (message.refusal !== undefined) texts.push(message.refusal);
  if (message.audio !== undefined) conversion.ignored.push(`messages.${position}.audio`);
  const path = `messages.${position}`;
  const calls = (message.tool_calls ?? []).flatMap((call, i) =>
    convertToolCall(call, `${path}.tool_calls.${i}`, conversion.issues)
  );
  if (message.function_call !== undefined) {
    const { name, arguments: text } = message.function_call;
    calls.push({ function: { name, arguments: parseArguments(text, `${path}.function_call`, conversion.issues) } });
  }
  const thinking = message.reasoning ?? message.reasoning_content;
  return {
    role: "assistant",
    content: texts.filter((text) => text !== "").join(BETWEEN_PARTS),
    ...(thinking !== undefined && thinking !== "" && { thinking }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function convertToolCall(call: ToolCall, path: string, issues: RequestIssues): OllamaToolCall[] {
  if (call.type === "custom") {
    issues.addUnsupported(`${path}.type`, 'must be "function", as models of Ollama know no custom tools');
    return [];
  }
  const { name, arguments: text } = call.function;
  return [{ id: call.id, function: { name, arguments: parseArguments(text, `${path}.function`, issues) } }];
}

/** Ollama takes arguments as an object only. Models that call without arguments often write nothing. */
function parseArguments(text: string, path: string, issues: RequestIssues): { readonly [name: string]: unknown } {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = parseExactly(text);
  } catch {
    // Reported below, without the parser's message, which quotes the text.
  }
  if (isRecord(value) && !holdsInfinity(value)) return value;
  const message = isRecord(value)
    ? "must not hold numbers that are too large, such as 1e400. Write them as strings"
    : "must be the text of a JSON object";
  issues.add({ path: `${path}.arguments`, message });
  return {};
}

/** Looks up what tool a call was of, backwards, since ids may repeat from turn to turn. */
function findToolName(messages: readonly ChatMessage[], before: number, id: string): string | undefined {
  for (let i = before - 1; i >= 0; i--) {
    const message = messages[i];
    if (message?.role !== "assistant") continue;
    const call = message.tool_calls?.find((call) => call.id === id);
    if (call !== undefined) return call.type === "function" ? call.function.name : call.custom.name;
  }
  return undefined;
}
