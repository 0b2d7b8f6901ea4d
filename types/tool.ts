import type { JsonSchema } from "./json.ts";

/** A function that a model may call. */
export interface FunctionDefinition {
  /** Name the model calls it by. */
  readonly name: string;
  /** What it does, when to use it. */
  readonly description?: string;
  /** JSON Schema of its arguments; absent means no arguments. */
  readonly parameters?: JsonSchema;
  /** Whether arguments must follow `parameters` exactly. Default: `false`. */
  readonly strict?: boolean;
}

/** A tool of kind function. */
export interface FunctionTool {
  /** Kind of tool. */
  readonly type: "function";
  /** The function. */
  readonly function: FunctionDefinition;
}

/** A tool whose input is free text or follows a grammar. */
export interface CustomToolDefinition {
  /** Name the model calls it by. */
  readonly name: string;
  /** What it does, when to use it. */
  readonly description?: string;
  /** Format of the input: `{ type: "text" }` or `{ type: "grammar", grammar }`. Default: text. */
  readonly format?: { readonly [key: string]: unknown };
}

/** A tool of kind custom. */
export interface CustomTool {
  /** Kind of tool. */
  readonly type: "custom";
  /** The tool. */
  readonly custom: CustomToolDefinition;
}

/** A tool offered to the model. */
export type ToolDefinition = FunctionTool | CustomTool;

/** Name and arguments of a call. */
export interface FunctionCall {
  /** Name of the function. */
  readonly name: string;
  /** Arguments as JSON text. The model wrote it: it may be invalid. */
  readonly arguments: string;
}

/** A call of a function tool. */
export interface FunctionToolCall {
  /** Id that the tool's message refers to. */
  readonly id: string;
  /** Kind of call. */
  readonly type: "function";
  /** What is called. */
  readonly function: FunctionCall;
}

/** Name and input of a custom tool's call. */
export interface CustomCall {
  /** Name of the tool. */
  readonly name: string;
  /** Input as the model wrote it. */
  readonly input: string;
}

/** A call of a custom tool. */
export interface CustomToolCall {
  /** Id that the tool's message refers to. */
  readonly id: string;
  /** Kind of call. */
  readonly type: "custom";
  /** What is called. */
  readonly custom: CustomCall;
}

/** A call that the model makes. */
export type ToolCall = FunctionToolCall | CustomToolCall;

/** Demand for one function by name. */
export interface NamedFunctionToolChoice {
  /** Kind of tool. */
  readonly type: "function";
  /** The function to call. */
  readonly function: { readonly name: string };
}

/** Demand for one custom tool by name. */
export interface NamedCustomToolChoice {
  /** Kind of tool. */
  readonly type: "custom";
  /** The tool to call. */
  readonly custom: { readonly name: string };
}

/** A subset of the tools to choose from. */
export interface AllowedToolsChoice {
  /** Kind of choice. */
  readonly type: "allowed_tools";
  /** The subset, and whether one of it must be called. */
  readonly allowed_tools: {
    readonly mode: "auto" | "required";
    readonly tools: readonly { readonly [key: string]: unknown }[];
  };
}

/**
 * Whether and what the model must call: `none` never, `auto` as it likes, `required` at least one, or a given tool.
 * OpenAI's default is `none` without tools and `auto` with.
 */
export type ToolChoice =
  | "none"
  | "auto"
  | "required"
  | NamedFunctionToolChoice
  | NamedCustomToolChoice
  | AllowedToolsChoice;
