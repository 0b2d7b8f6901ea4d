import { dumpJson, isObject, tryParse } from "./_trace_json.ts";

/** What `gen_ai.operation.name` says of the kind of a span, in MLflow's words. */
const SPAN_TYPES: { readonly [operation: string]: string } = {
  chat: "CHAT_MODEL",
  create_agent: "AGENT",
  embeddings: "EMBEDDING",
  execute_tool: "TOOL",
  generate_content: "LLM",
  invoke_agent: "AGENT",
  text_completion: "LLM",
  response: "LLM",
};

/** Attributes that stand for one of MLflow's where that one is missing, the first that there is. */
const ALIASES: { readonly [key: string]: readonly string[] } = {
  "mlflow.spanInputs": ["gen_ai.input.messages", "gen_ai.tool.call.arguments"],
  "mlflow.spanOutputs": ["gen_ai.output.messages", "gen_ai.tool.call.result"],
  "mlflow.chat.tools": ["gen_ai.tool.definitions"],
  "mlflow.llm.model": ["gen_ai.response.model", "gen_ai.request.model"],
  "mlflow.llm.provider": ["gen_ai.provider.name", "gen_ai.system"],
};

/** Attributes of tokens, by MLflow's names of them. */
const TOKENS: { readonly [key: string]: readonly string[] } = {
  input_tokens: ["gen_ai.usage.input_tokens"],
  output_tokens: ["gen_ai.usage.output_tokens"],
  cache_read_input_tokens: ["gen_ai.usage.cache_read.input_tokens"],
  cache_creation_input_tokens: ["gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"],
};

/**
 * Adds MLflow's own attributes to those that OpenTelemetry's conventions for generative AI have, as MLflow's server
 * does: only what is missing.
 *
 * @param attributes Attributes, each value a text of JSON.
 * @returns The same with MLflow's.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
 */
export function translateAttributes(attributes: { readonly [key: string]: string }): { [key: string]: string } {
  const translated: { [key: string]: string } = { ...attributes };
  const operation = textOf(attributes["gen_ai.operation.name"]);
  const spanType = operation !== undefined && Object.hasOwn(SPAN_TYPES, operation) ? SPAN_TYPES[operation] : undefined;
  const given = textOf(attributes["mlflow.spanType"]);
  if (spanType !== undefined && (given === undefined || given === "UNKNOWN")) {
    translated["mlflow.spanType"] = JSON.stringify(spanType);
  }
  for (const [key, aliases] of Object.entries(ALIASES)) {
    const value = aliases.map((alias) => attributes[alias]).find((text) => text !== undefined);
    if (value !== undefined) translated[key] ??= value;
  }
  const usage = attributes["mlflow.chat.tokenUsage"] === undefined ? usageOf(attributes) : undefined;
  if (usage !== undefined) translated["mlflow.chat.tokenUsage"] = usage;
  return translated;
}

function usageOf(attributes: { readonly [key: string]: string }): string | undefined {
  const counts: { [key: string]: number } = {};
  for (const [key, names] of Object.entries(TOKENS)) {
    const text = names.map((name) => attributes[name]).find((value) => value !== undefined);
    const count = Number(textOf(text) ?? text);
    if (text !== undefined && Number.isSafeInteger(count)) counts[key] = count;
  }
  const { input_tokens: input, output_tokens: output } = counts;
  if (input === undefined && output === undefined) return undefined;
  if (input !== undefined && output !== undefined) counts.total_tokens = input + output;
  return dumpJson(counts);
}

/** The text of an attribute; `undefined` if it is none. */
export function textOf(attribute: string | undefined): string | undefined {
  const value = attribute === undefined ? undefined : tryParse(attribute);
  return typeof value === "string" ? value : undefined;
}

/** The object of an attribute; `undefined` if it is none. */
export function objectOf(attribute: string | undefined): { readonly [key: string]: unknown } | undefined {
  const value = attribute === undefined ? undefined : tryParse(attribute);
  return isObject(value) ? value : undefined;
}
