import type { ChatMessage, ChatParams, ToolChoice, ToolDefinition } from "../../types/mod.ts";
import { convertInput, unsupported } from "./convert_input.ts";
import { mergeParams, type RequestSetup } from "./convert_request.ts";
import type { OpenAIResponseRequest } from "./wire.ts";

/**
 * Turns a request into the body of `POST /responses`. Pure.
 *
 * It is never to be kept by the server (`store: false`). What that API calls otherwise is renamed; what it does not
 * know, but other servers do (such as `stop` and `seed`), is handed on as it is.
 *
 * @param messages The conversation.
 * @param params The parameters.
 * @param setup The model, its defaults, and how it is to answer.
 * @returns The body.
 * @throws {ChatModelError} If something is asked for that the API has no place for (code `unsupported_feature`).
 */
export function convertResponseRequest(
  messages: readonly ChatMessage[],
  params: ChatParams,
  { model, defaults, stream }: RequestSetup,
): OpenAIResponseRequest {
  const { extra, ...merged } = mergeParams(defaults, params);
  const {
    n,
    audio,
    modalities,
    prediction,
    web_search_options,
    max_tokens,
    max_completion_tokens = max_tokens,
    response_format,
    verbosity,
    reasoning_effort,
    reasoning,
    logprobs,
    tools,
    functions,
    tool_choice,
    function_call,
    stream: _,
    stream_options,
    store: __,
    ...rest
  } = merged;
  if (n !== undefined && n !== 1) throw unsupported("n", "several answers");
  if (modalities?.some((name) => name !== "text")) throw unsupported("modalities", "spoken answers");
  for (const [name, value] of Object.entries({ audio, prediction, web_search_options })) {
    if (value !== undefined) throw unsupported(name, `field "${name}"`);
  }
  const definitions = tools ?? functions?.map((definition) => ({ type: "function" as const, function: definition }));
  const choice = tool_choice ??
    (typeof function_call === "object" ? { type: "function" as const, function: function_call } : function_call);
  const text = {
    ...(response_format !== undefined && { format: toFormat(response_format) }),
    ...(verbosity !== undefined && { verbosity }),
  };
  const thinking = { ...reasoning, ...(reasoning_effort !== undefined && { effort: reasoning_effort }) };
  // The usage is part of every answer here.
  const { include_usage: ___, ...streaming } = stream_options ?? {};
  return {
    ...extra,
    ...rest,
    model,
    ...convertInput(messages),
    ...(max_completion_tokens !== undefined && { max_output_tokens: max_completion_tokens }),
    ...(Object.keys(text).length > 0 && { text }),
    ...(Object.keys(thinking).length > 0 && { reasoning: thinking }),
    ...(logprobs === true && { include: withLogprobs(extra?.include) }),
    ...(definitions !== undefined && { tools: definitions.map(toTool) }),
    ...(choice !== undefined && { tool_choice: toChoice(choice) }),
    ...(stream !== false && { stream: true }),
    ...(stream !== false && Object.keys(streaming).length > 0 && { stream_options: streaming }),
    store: false,
  };
}

function withLogprobs(include: unknown): unknown[] {
  return [...new Set([...(Array.isArray(include) ? include : []), "message.output_text.logprobs"])];
}

function toTool(tool: ToolDefinition): object {
  // There `strict` is the default, and with it most schemas are refused.
  if (tool.type === "function") return { type: "function", strict: false, ...tool.function };
  const { format, ...definition } = tool.custom;
  return { type: "custom", ...definition, ...(format !== undefined && { format: flatGrammar(format) }) };
}

/** `{ type: "grammar", grammar: { syntax, definition } }` has its members side by side there. */
function flatGrammar({ grammar, ...format }: { readonly [key: string]: unknown }): object {
  return typeof grammar === "object"
    ? { ...format, ...grammar }
    : { ...format, ...(grammar !== undefined && { grammar }) };
}

function toChoice(choice: ToolChoice): string | object {
  if (typeof choice === "string") return choice;
  if (choice.type === "function") return { type: "function", ...choice.function };
  if (choice.type === "custom") return { type: "custom", ...choice.custom };
  const { mode, tools } = choice.allowed_tools;
  return { type: "allowed_tools", mode, tools: tools.map(flatTool) };
}

function flatTool({ function: called, custom, ...tool }: { readonly [key: string]: unknown }): object {
  const named = called ?? custom;
  return typeof named === "object" ? { ...tool, ...named } : tool;
}

function toFormat(format: NonNullable<ChatParams["response_format"]>): object {
  return format.type === "json_schema" ? { type: "json_schema", ...format.json_schema } : format;
}
