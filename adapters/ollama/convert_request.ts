import type { ChatMessage, ChatParams, JsonSchema } from "../../types/mod.ts";
import { allowNull } from "../json_schema/mod.ts";
import { convertMessages, type PendingImage } from "./convert_messages.ts";
import { collectOptions, isOllamaOption, kindOf, type OllamaOptions } from "./options.ts";
import { readReasoningEffort, type WantedThinking } from "./reasoning.ts";
import { SchemaError } from "./_json_schema.ts";
import { isRecord, RequestIssues } from "./_request_issues.ts";
import { type AnswerCheck, checkJson, checkJsonObject, compileSchema } from "./structured_output.ts";
import { type ForcedCall, planTools } from "./tool_choice.ts";
import type { OllamaChatRequest } from "./wire.ts";

/** What a model of Ollama is set up with; requests win over it. */
export interface OllamaDefaults {
  /** Name of the model. */
  readonly model: string;
  /** Options. */
  readonly options: OllamaOptions;
  /** How long the model stays loaded. */
  readonly keepAlive?: number | string;
  /** Whether or how much to think. */
  readonly think?: boolean | string;
  /** Whether to drop the oldest messages when the prompt is too long. */
  readonly truncate: boolean;
  /** Whether to shift the window when it fills. */
  readonly shift?: boolean;
  /** Hosts that images may be fetched from. */
  readonly allowedImageHosts: readonly string[];
}

/** What must be known about a request to read its answer. */
export interface AnswerPlan {
  /** Whether tools were offered. */
  readonly toolsOffered: boolean;
  /** Most calls to hand on; 0 if the model must not call. */
  readonly maxCalls: number;
  /** Names of the tools that may be called, where some are left out. */
  readonly allowed?: ReadonlySet<string>;
  /** Whether calls are answered in the deprecated form. */
  readonly deprecated: boolean;
  /** A call that must be made, of which the answer's text consists. */
  readonly forced?: ForcedCall;
  /** Checks the text of an answer that was asked for in a certain form. */
  readonly check?: AnswerCheck;
  /** Whether log probabilities were asked for. */
  readonly logprobs: boolean;
  /** Whether to take a block of thinking out of the text, since none was asked for. */
  readonly stripThinking: boolean;
  /** Most tokens to answer with; absent if there is no limit. */
  readonly numPredict?: number;
  /** Size of the window in tokens, if it was set. */
  readonly numCtx?: number;
}

/** A request in Ollama's form. */
export interface ConvertedRequest {
  /** Body of `POST /api/chat`, without `stream`. */
  readonly body: OllamaChatRequest;
  /** What must be known to read the answer. */
  readonly answer: AnswerPlan;
  /** How many answers to give. */
  readonly count: number;
  /** Thinking to ask for if the model can think. */
  readonly wantedThinking?: WantedThinking;
  /** Images to fetch. */
  readonly pendingImages: readonly PendingImage[];
  /** Path of the first image; absent if there is none. */
  readonly imagePath?: string;
  /** Path of the first sound; absent if there is none. */
  readonly audioPath?: string;
  /** Paths of what was given but has no effect. */
  readonly ignored: readonly string[];
}

/** Fields of the request that Ollama knows, beside its options. */
const NATIVE_FIELDS = new Set(["options", "keep_alive", "think", "truncate", "shift", "format"]);

/** A duration as Go's `time.ParseDuration` reads it. */
const GO_DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/**
 * Turns a request into Ollama's form. Pure: what needs the network (the model's capabilities, images by URL) is only
 * named in the result.
 *
 * @param messages The conversation.
 * @param params The parameters.
 * @param defaults What the model is set up with.
 * @returns The request for Ollama, and what is left to do.
 * @throws {ValidationError} If Ollama cannot honour the request; it names all that is wrong.
 */
export function convertRequest(
  messages: readonly ChatMessage[],
  params: ChatParams,
  defaults: OllamaDefaults,
): ConvertedRequest {
  const issues = new RequestIssues();
  const conversation = convertMessages(messages, issues, { allowedImageHosts: defaults.allowedImageHosts });
  const { options, ignored: ignoredOptions } = collectOptions(params, defaults.options, issues);
  const tools = planTools(params, issues);
  const format = readFormat(params, issues);
  const native = params.extra === undefined ? {} : readNative(params.extra, issues);
  const effort = native.think === undefined ? readReasoningEffort(params, issues) : undefined;
  refuseUnsupported(params, issues);
  issues.throwIfAny();

  // `false` is taken by every model, so there is no need to ask what the model can do.
  const think = native.think ?? (effort === undefined ? defaults.think : effort.think === false ? false : undefined);
  const keepAlive = native.keepAlive ?? defaults.keepAlive;
  const shift = native.shift ?? defaults.shift;
  const sentFormat = tools.forced?.format ?? format?.format;
  const logprobs = params.logprobs === true;
  const { imagePath, audioPath } = conversation;
  const numPredict = positive(options?.num_predict);
  const numCtx = positive(options?.num_ctx);
  // Assigned one by one: this runs for each request, and spreading what may be there is slower.
  const body: Mutable<OllamaChatRequest> = { model: defaults.model, messages: conversation.messages };
  if (tools.tools.length > 0) body.tools = tools.tools;
  if (sentFormat !== undefined) body.format = sentFormat;
  if (options !== undefined) body.options = options;
  if (think !== undefined) body.think = think;
  if (keepAlive !== undefined) body.keep_alive = keepAlive;
  body.truncate = native.truncate ?? defaults.truncate;
  if (shift !== undefined) body.shift = shift;
  if (logprobs) body.logprobs = true;
  if (logprobs && params.top_logprobs !== undefined) body.top_logprobs = params.top_logprobs;
  const answer: Mutable<AnswerPlan> = {
    toolsOffered: tools.tools.length > 0,
    maxCalls: tools.forbidden ? 0 : params.parallel_tool_calls === false || tools.deprecated ? 1 : Infinity,
    deprecated: tools.deprecated,
    logprobs,
    stripThinking: think === false,
  };
  if (tools.allowed !== undefined) answer.allowed = tools.allowed;
  if (tools.forced !== undefined) answer.forced = tools.forced;
  else if (format !== undefined) answer.check = format.check;
  if (numPredict !== undefined) answer.numPredict = numPredict;
  if (numCtx !== undefined) answer.numCtx = numCtx;
  const converted: Mutable<ConvertedRequest> = {
    body,
    answer,
    count: params.n ?? 1,
    pendingImages: conversation.pendingImages,
    ignored: [...conversation.ignored, ...ignoredOptions, ...findIgnored(params)],
  };
  if (effort !== undefined && effort.think !== false) converted.wantedThinking = effort;
  if (imagePath !== undefined) converted.imagePath = imagePath;
  if (audioPath !== undefined) converted.audioPath = audioPath;
  return converted;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function positive(value: unknown): number | undefined {
  return typeof value === "number" && value >= 1 ? Math.trunc(value) : undefined;
}

interface Format {
  readonly format: string | JsonSchema;
  readonly check: AnswerCheck;
}

function readFormat(params: ChatParams, issues: RequestIssues): Format | undefined {
  const native = params.extra?.format;
  // Ollama takes "" and null as unset.
  if (native !== undefined && native !== null && native !== "") {
    if (native === "json") return { format: native, check: checkJson };
    if (isRecord(native)) return schemaFormat(native, "format", issues);
    issues.add({ path: "format", message: 'must be "json" or a JSON Schema' });
    return undefined;
  }
  const wanted = params.response_format;
  if (wanted === undefined || wanted.type === "text") return undefined;
  if (wanted.type === "json_object") return { format: "json", check: checkJsonObject };
  const schema = wanted.json_schema.schema;
  return schema === undefined
    ? { format: "json", check: checkJson }
    : schemaFormat(schema, "response_format.json_schema.schema", issues);
}

function schemaFormat(schema: JsonSchema, path: string, issues: RequestIssues): Format | undefined {
  try {
    return { check: compileSchema(schema), format: allowNull(schema) };
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    issues.add({ path: [path, ...error.path].join("."), message: error.message });
    return undefined;
  }
}

interface NativeFields {
  readonly think?: boolean | string;
  readonly keepAlive?: number | string;
  readonly truncate?: boolean;
  readonly shift?: boolean;
}

function readNative(extra: { readonly [field: string]: unknown }, issues: RequestIssues): NativeFields {
  const { think, keep_alive: keepAlive } = extra;
  const truncate = readBoolean(extra.truncate, "truncate", issues);
  const shift = readBoolean(extra.shift, "shift", issues);
  let ownThink: boolean | string | undefined;
  if (typeof think === "boolean" || typeof think === "string") ownThink = think;
  else if (think !== undefined && think !== null) {
    issues.add({ path: "think", message: `must be true, false or a level, but is ${kindOf(think)}` });
  }
  let ownKeepAlive: number | string | undefined;
  if (isKeepAlive(keepAlive)) ownKeepAlive = keepAlive;
  else if (keepAlive !== undefined && keepAlive !== null) issues.add({ path: "keep_alive", message: KEEP_ALIVE_FORM });
  return {
    ...(ownThink !== undefined && { think: ownThink }),
    ...(ownKeepAlive !== undefined && { keepAlive: ownKeepAlive }),
    ...(truncate !== undefined && { truncate }),
    ...(shift !== undefined && { shift }),
  };
}

/** What is wrong with a bad `keep_alive`. */
export const KEEP_ALIVE_FORM = 'must be a number of seconds, or a duration with its unit, such as "5m"';

/** Whether Ollama can read a value as the time that a model stays loaded. */
export function isKeepAlive(value: unknown): value is number | string {
  return typeof value === "number" ? Number.isFinite(value) : typeof value === "string" && GO_DURATION.test(value);
}

function readBoolean(value: unknown, path: string, issues: RequestIssues): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value;
  issues.add({ path, message: `must be true or false, but is ${kindOf(value)}` });
  return undefined;
}

function refuseUnsupported(params: ChatParams, issues: RequestIssues): void {
  if (params.logit_bias !== undefined && Object.keys(params.logit_bias).length > 0) {
    issues.addUnsupported("logit_bias", "must be empty or absent, as Ollama cannot bias tokens");
  }
  params.modalities?.forEach((modality, i) => {
    if (modality !== "text") issues.addUnsupported(`modalities.${i}`, 'must be "text", as models of Ollama only write');
  });
}

/** Names of fields that ask for something which has no effect. */
function findIgnored(params: ChatParams): string[] {
  const ignored: string[] = [];
  const { reasoning } = params;
  if (params.verbosity !== undefined) ignored.push("verbosity");
  if (params.prediction !== undefined) ignored.push("prediction");
  if (params.web_search_options !== undefined) ignored.push("web_search_options");
  if (params.moderation !== undefined) ignored.push("moderation");
  if (params.audio !== undefined) ignored.push("audio");
  if (reasoning !== undefined && (reasoning.effort === undefined || reasoning.effort === null)) {
    ignored.push("reasoning");
  }
  if (params.top_logprobs !== undefined && params.logprobs !== true) ignored.push("top_logprobs");
  params.tools?.forEach((tool, i) => {
    if (tool.type === "function" && tool.function.strict === true) ignored.push(`tools.${i}.function.strict`);
  });
  if (params.extra === undefined) return ignored;
  for (const [name, value] of Object.entries(params.extra)) {
    const given = value !== undefined && value !== null;
    if (given && !isOllamaOption(name) && !NATIVE_FIELDS.has(name)) ignored.push(name);
  }
  return ignored;
}
