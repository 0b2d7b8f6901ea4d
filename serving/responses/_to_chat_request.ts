/** From a request of the Responses API to one of chat completions. Pure. */
import { findToolFaults } from "../../types/_tool_faults.ts";
import {
  type ChatModelErrorOptions,
  type ChatParams,
  ChatRequest,
  type ToolChoice,
  type ToolDefinition,
  ValidationError,
  type ValidationIssue,
} from "../../types/mod.ts";
import type { Item } from "./_item_schema.ts";
import type { ResponseRequest } from "./_parse_request.ts";
import type { FunctionTool } from "./_request_schema.ts";
import { toMessages } from "./_to_messages.ts";

const LOGPROBS = "message.output_text.logprobs";

/**
 * Makes the request that a model takes.
 *
 * @param request The request.
 * @param items Its context and input, references resolved.
 * @throws {ValidationError} If there is nothing to answer, or the tools do not fit together.
 */
export function toChatRequest(request: ResponseRequest, items: readonly Item[]): ChatRequest {
  const { instructions } = request;
  const messages = [
    ...instructions === undefined ? [] : [{ role: "system" as const, content: instructions }],
    ...toMessages(items),
  ];
  if (items.length === 0) throw invalid([{ path: "input", message: "Expected at least one item, found none" }]);
  const params = toParams(request);
  const faults = findToolFaults(params);
  if (faults.length > 0) throw invalid(faults.map(({ path, message }) => ({ path: flatPath(path), message })));
  return new ChatRequest(messages, params, request.model);
}

/** Refuses a request. */
export function invalid(issues: readonly ValidationIssue[], options: ChatModelErrorOptions = {}): ValidationError {
  return new ValidationError("Cannot parse response request", issues, options);
}

/** Where in this API's request stands what is at a path of the chat wire's. */
function flatPath(path: string): string {
  return path.replace(/^(tools\.\d+|tool_choice)\.(function|custom|allowed_tools)\./, "$1.");
}

function toParams(request: ResponseRequest): ChatParams {
  const { text = {}, reasoning, tools, tool_choice, include = [], stream, truncation, max_tool_calls } = request;
  const { max_output_tokens, top_logprobs, extra } = request;
  // What the chat wire does not know, a model may.
  const rest = {
    ...truncation !== undefined && { truncation },
    ...max_tool_calls !== undefined && { max_tool_calls },
    ...extra,
  };
  return {
    ...pick(request),
    ...max_output_tokens !== undefined && { max_completion_tokens: max_output_tokens },
    ...(include.includes(LOGPROBS) || top_logprobs !== undefined) && { logprobs: true },
    ...top_logprobs !== undefined && { top_logprobs },
    ...tools !== undefined && { tools: tools.filter(isFunctionTool).map(toTool) },
    ...tool_choice !== undefined && { tool_choice: toToolChoice(tool_choice) },
    ...text.format !== undefined && { response_format: toResponseFormat(text.format) },
    ...text.verbosity !== undefined && { verbosity: text.verbosity },
    ...reasoning !== undefined && { reasoning },
    ...reasoning?.effort !== undefined && { reasoning_effort: reasoning.effort },
    // The usage is part of every answer here.
    ...stream && { stream_options: { ...request.stream_options, include_usage: true } },
    ...Object.keys(rest).length > 0 && { extra: rest },
  };
}

/** Parameters of the same name and meaning in both APIs. */
const SAME_NAMES = [
  "temperature",
  "top_p",
  "parallel_tool_calls",
  "stream",
  "service_tier",
  "store",
  "metadata",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "prompt_cache_options",
  "moderation",
  "custom_inputs",
  "stop",
  "seed",
  "top_k",
  "min_p",
  "frequency_penalty",
  "presence_penalty",
  "logit_bias",
] as const;

function pick(request: ResponseRequest): Pick<ChatParams, (typeof SAME_NAMES)[number]> {
  return Object.fromEntries(
    SAME_NAMES.filter((name) => request[name] !== undefined).map((name) => [name, request[name]]),
  );
}

type Tools = NonNullable<ResponseRequest["tools"]>;

/** Whether a tool is a function; others do not pass validation. */
export function isFunctionTool(tool: Tools[number]): tool is FunctionTool {
  return "name" in tool;
}

function toTool({ type, ...definition }: FunctionTool): ToolDefinition {
  return { type, function: definition };
}

function toToolChoice(choice: NonNullable<ResponseRequest["tool_choice"]>): ToolChoice {
  if (typeof choice === "string") return choice;
  if (choice.type === "function") return { type: "function", function: { name: choice.name } };
  const tools = choice.tools.map(({ type, name }) => ({ type, function: { name } }));
  return { type: "allowed_tools", allowed_tools: { mode: choice.mode, tools } };
}

function toResponseFormat(
  format: NonNullable<NonNullable<ResponseRequest["text"]>["format"]>,
): NonNullable<ChatParams["response_format"]> {
  if (format.type !== "json_schema") return format;
  const { type, ...definition } = format;
  return { type, json_schema: definition };
}
