import type { ModelOrigin, RequestContext, StartedCall } from "../call_observer.ts";
import type { ChatMessage, ChatParams } from "../types/mod.ts";
import type { Attributes } from "./_api.ts";
import { inputMessages, toolDefinitions } from "./_gen_ai_messages.ts";
import type { ContentForms } from "./_instrumentation.ts";
import { toJson } from "./_json.ts";
import { LINKS } from "./_links.ts";

/** Log level "info" of MLflow's spans, as its own client gives those that have a type; 10 the others. */
export const INFO = 20;
const DEBUG = 10;

/** What a call is in OpenTelemetry's words and in MLflow's. */
export interface CallKind {
  /** Begins the span's name. */
  readonly verb: string;
  /** `gen_ai.operation.name`; none for calls that the conventions do not know. */
  readonly operation: string | undefined;
  readonly spanType: string;
  readonly functionName: string;
}

export function kindOf(call: StartedCall): CallKind {
  switch (call.operation) {
    case "chat": {
      const functionName = call.stream ? "predictStream" : "predict";
      return call.spanType === "AGENT"
        ? { verb: "invoke_agent", operation: "invoke_agent", spanType: "AGENT", functionName }
        : { verb: "chat", operation: "chat", spanType: call.spanType ?? "CHAT_MODEL", functionName };
    }
    case "embeddings":
      return { verb: "embeddings", operation: "embeddings", spanType: "EMBEDDING", functionName: "embed" };
    case "invoke":
      return { verb: "predict", operation: undefined, spanType: call.spanType ?? "UNKNOWN", functionName: "predict" };
  }
}

/** What is known of a call when it begins. */
export interface Beginning {
  readonly call: StartedCall;
  readonly kind: CallKind;
  readonly requestContext: RequestContext;
  /** The conversation as it was then: callers go on with the same list. */
  readonly messages: readonly ChatMessage[];
}

/** Writes down what is known of a call when it begins. */
export function startAttributes(beginning: Beginning, content: ContentForms): Attributes {
  const { call, kind: { spanType, operation, functionName }, requestContext, messages } = beginning;
  const { session = sessionOf(call), user = userOf(call) } = requestContext;
  const attributes: Attributes = {
    "mlflow.spanType": spanType,
    "mlflow.spanFunctionName": functionName,
    "mlflow.spanLogLevel": spanType === "UNKNOWN" ? DEBUG : INFO,
    "mlflow.llm.model": call.model,
    "gen_ai.request.model": call.model,
    "chatmodel.request_id": call.requestId,
  };
  if (operation !== undefined) attributes["gen_ai.operation.name"] = operation;
  if (call.origin !== undefined) addOrigin(attributes, call.origin);
  if (spanType === "AGENT") attributes["gen_ai.agent.name"] = call.model;
  if (session !== undefined) {
    attributes["session.id"] = session;
    attributes["gen_ai.conversation.id"] = session;
  }
  if (user !== undefined) attributes["user.id"] = user;
  switch (call.operation) {
    case "chat":
      attributes["chatmodel.stream"] = call.stream;
      attributes["mlflow.message.format"] = "openai";
      addParams(attributes, call.request.params);
      if (content.mlflow) addMlflowContent(attributes, messages, call.request.params);
      if (content.genAi) addGenAiContent(attributes, messages, call.request.params);
      break;
    case "embeddings":
      if (typeof call.request.dimensions === "number") {
        attributes["gen_ai.embeddings.dimension.count"] = call.request.dimensions;
      }
      if (call.request.encoding_format) attributes["gen_ai.request.encoding_formats"] = [call.request.encoding_format];
      if (content.mlflow) attributes["mlflow.spanInputs"] = toJson(call.request);
      break;
    case "invoke":
      if (content.mlflow) attributes["mlflow.spanInputs"] = toJson({ input: call.input, params: call.params });
  }
  return attributes;
}

function addOrigin(attributes: Attributes, { uri, modelId, registeredName, registeredVersion }: ModelOrigin): void {
  if (uri !== undefined) attributes[LINKS.uri] = uri;
  if (modelId !== undefined) attributes[LINKS.modelId] = modelId;
  if (registeredName !== undefined) attributes[LINKS.registeredName] = registeredName;
  if (registeredVersion !== undefined) attributes[LINKS.registeredVersion] = registeredVersion;
}

/** @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ */
function addParams(attributes: Attributes, params: ChatParams): void {
  const { temperature, top_p, top_k, seed, n, stop, response_format } = params;
  const maxTokens = params.max_completion_tokens ?? params.max_tokens;
  if (temperature !== undefined) attributes["gen_ai.request.temperature"] = temperature;
  if (top_p !== undefined) attributes["gen_ai.request.top_p"] = top_p;
  if (top_k !== undefined) attributes["gen_ai.request.top_k"] = top_k;
  if (seed !== undefined) attributes["gen_ai.request.seed"] = seed;
  if (maxTokens !== undefined) attributes["gen_ai.request.max_tokens"] = maxTokens;
  if (params.frequency_penalty !== undefined) {
    attributes["gen_ai.request.frequency_penalty"] = params.frequency_penalty;
  }
  if (params.presence_penalty !== undefined) attributes["gen_ai.request.presence_penalty"] = params.presence_penalty;
  if (n !== undefined && n !== 1) attributes["gen_ai.request.choice.count"] = n;
  if (stop !== undefined) attributes["gen_ai.request.stop_sequences"] = typeof stop === "string" ? [stop] : [...stop];
  if (response_format !== undefined) {
    attributes["gen_ai.output.type"] = response_format.type === "text" ? "text" : "json";
  }
}

function addMlflowContent(attributes: Attributes, messages: readonly ChatMessage[], params: ChatParams): void {
  const { extra, ...known } = params;
  attributes["mlflow.spanInputs"] = toJson({ messages, ...known, ...extra });
  if (params.tools !== undefined && params.tools.length > 0) attributes["mlflow.chat.tools"] = toJson(params.tools);
}

function addGenAiContent(attributes: Attributes, messages: readonly ChatMessage[], params: ChatParams): void {
  attributes["gen_ai.input.messages"] = inputMessages(messages);
  if (params.tools !== undefined && params.tools.length > 0) {
    attributes["gen_ai.tool.definitions"] = toolDefinitions(params.tools);
  }
}

/** Names of metadata that tell of which conversation a request is: MLflow's, then what clients use. */
const SESSION_KEYS = ["mlflow.trace.session", "session_id", "chat_id", "conversation_id"];
const USER_KEYS = ["mlflow.trace.user", "user_id"];

function sessionOf(call: StartedCall): string | undefined {
  return call.operation === "chat" ? firstText(call.request.params.metadata, SESSION_KEYS) : undefined;
}

function userOf(call: StartedCall): string | undefined {
  switch (call.operation) {
    case "chat": {
      const { metadata, user, safety_identifier } = call.request.params;
      return firstText(metadata, USER_KEYS) ?? user ?? safety_identifier;
    }
    case "embeddings":
      return call.request.user;
    default:
      return undefined;
  }
}

function firstText(
  values: { readonly [key: string]: unknown } | undefined,
  keys: readonly string[],
): string | undefined {
  if (values === undefined) return undefined;
  for (const key of keys) {
    const value = values[key];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}
