import type { AssistantContentPart, TextPart, UserContentPart } from "./content_part.ts";
import type { FunctionCall, ToolCall } from "./tool.ts";

/** Instructions for the model. */
export interface SystemMessage {
  /** Who speaks. */
  readonly role: "system";
  /** The instructions. */
  readonly content: string | readonly TextPart[];
  /** Tells speakers of one role apart. */
  readonly name?: string;
}

/** Instructions for the model: OpenAI's newer name for the system role. Treated alike. */
export interface DeveloperMessage {
  /** Who speaks. */
  readonly role: "developer";
  /** The instructions. */
  readonly content: string | readonly TextPart[];
  /** Tells speakers of one role apart. */
  readonly name?: string;
}

/** What the user says. */
export interface UserMessage {
  /** Who speaks. */
  readonly role: "user";
  /** Text, or at least one part. */
  readonly content: string | readonly UserContentPart[];
  /** Tells speakers of one role apart. */
  readonly name?: string;
}

/**
 * What the model said earlier. `content` may be absent beside tool calls, a refusal or a function call, and
 * (as OpenAI's own schema allows) even without.
 */
export interface AssistantMessage {
  /** Who speaks. */
  readonly role: "assistant";
  /** Text or parts. */
  readonly content?: string | readonly AssistantContentPart[];
  /** The words of a refusal. */
  readonly refusal?: string;
  /** Calls the model made. */
  readonly tool_calls?: readonly ToolCall[];
  /** A call in the deprecated form of the API. */
  readonly function_call?: FunctionCall;
  /** Reference to an earlier spoken answer. */
  readonly audio?: { readonly id: string };
  /** Tells speakers of one role apart. */
  readonly name?: string;
  /** The model's thinking, as Ollama, vLLM and others name it. */
  readonly reasoning?: string;
  /** The model's thinking, as DeepSeek and the AI SDK name it. */
  readonly reasoning_content?: string;
}

/** The result of a tool call. */
export interface ToolMessage {
  /** Who speaks. */
  readonly role: "tool";
  /** The result. */
  readonly content: string | readonly TextPart[];
  /** Id of the call this answers. */
  readonly tool_call_id: string;
  /** Name of the tool; not in OpenAI's API, but models of Ollama want it. */
  readonly name?: string;
}

/** The result of a function call, in the deprecated form of the API. */
export interface FunctionMessage {
  /** Who speaks. */
  readonly role: "function";
  /** The result. */
  readonly content?: string;
  /** Name of the function. */
  readonly name: string;
}

/** A message of a conversation; `role` tells which kind. */
export type ChatMessage =
  | SystemMessage
  | DeveloperMessage
  | UserMessage
  | AssistantMessage
  | ToolMessage
  | FunctionMessage;
