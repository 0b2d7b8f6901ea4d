/** Making a request of the settings and the conversation. */
import type { AssistantTurn, FieldName, Json, JsonObject, Problems, Settings, Turn, UserTurn } from "../state/types.ts";
import { chosenOf } from "../state/choice.ts";
import { isObject, tryParse } from "./accumulate.ts";
import { describeJsonError } from "./json_error.ts";

/** Stop sequences that OpenAI's API takes. */
const MOST_STOPS = 4;

/** A setting's value, nothing if it is not set, or what is wrong with it. */
type Read = { readonly value?: Json } | { readonly problem: string };

const READERS: { readonly [Name in FieldName]?: (text: string) => Read } = {
  temperature: (text) => readNumber(text, "a number from 0 to 2, such as 0.7", (value) => value >= 0 && value <= 2),
  maxTokens: (text) => readNumber(text, "a whole number above 0", (value) => Number.isSafeInteger(value) && value > 0),
  stop: (text) => {
    const value = readStop(text);
    return value.length > MOST_STOPS
      ? { problem: `Must be at most ${MOST_STOPS}, one a line; there are ${value.length}` }
      : { value };
  },
  seed: (text) => readNumber(text, "a whole number", Number.isSafeInteger),
  tools: (text) => readJson(text, toTools),
  responseSchema: (text) => readJson(text, toResponseFormat),
  customInputs: (text) => readJson(text, onlyObject),
  moreFields: (text) => readJson(text, onlyObject),
};

/** What is wrong with the settings: nothing, if the object is empty. */
export function findProblems(settings: Settings): Problems {
  const problems: { [Name in FieldName]?: string } = {};
  for (const name of fieldNames()) {
    const read = readField(settings, name);
    if ("problem" in read) problems[name] = read.problem;
  }
  return problems;
}

/** The request for an answer to a conversation. Settings with problems are left out: look for those before. */
export function buildRequest(settings: Settings, turns: readonly Turn[]): JsonObject {
  const value = (name: FieldName): Json | undefined => {
    const read = readField(settings, name);
    return "problem" in read ? undefined : read.value;
  };
  const fields: Record<string, Json | undefined> = {
    model: settings.model || undefined,
    messages: toMessages(settings.system, turns),
    temperature: value("temperature"),
    max_tokens: value("maxTokens"),
    stop: value("stop"),
    seed: value("seed"),
    reasoning_effort: settings.reasoningEffort || undefined,
    tools: value("tools"),
    response_format: value("responseSchema"),
    custom_inputs: value("customInputs"),
    ...(settings.stream && { stream: true, stream_options: { include_usage: true } }),
  };
  const more = value("moreFields");
  const request: Record<string, Json> = {};
  for (const [name, value] of Object.entries({ ...fields, ...(isObject(more) && more) })) {
    if (value !== undefined) request[name] = value;
  }
  return request;
}

function fieldNames(): FieldName[] {
  return ["temperature", "maxTokens", "stop", "seed", "tools", "responseSchema", "customInputs", "moreFields"];
}

function readField(settings: Settings, name: FieldName): Read {
  // Blanks around a stop sequence belong to it.
  const text = name === "stop" ? settings.stop.replaceAll(/^\n+|\n+$/g, "") : settings[name].trim();
  return text === "" ? {} : READERS[name]?.(text) ?? { value: text };
}

/** One text a line; `\n` and `\t` written out stand for what cannot be typed into a line. */
export function readStop(text: string): string[] {
  const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", "\\": "\\" };
  return text.split("\n").filter((line) => line !== "")
    .map((line) => line.replaceAll(/\\([ntr\\])/g, (_, letter: string) => escapes[letter] ?? letter));
}

function readNumber(text: string, wanted: string, isFit: (value: number) => boolean): Read {
  const value = Number(text);
  return Number.isFinite(value) && isFit(value) ? { value } : { problem: `Must be ${wanted}` };
}

function readJson(text: string, convert: (value: Json) => Read): Read {
  const value = tryParse(text);
  return value === undefined ? { problem: describeJsonError(text) } : convert(value);
}

function onlyObject(value: Json): Read {
  return isObject(value) ? { value } : { problem: 'Must be an object, such as {"key": "value"}' };
}

/** Functions may be written without the `{"type": "function", "function": …}` around them. */
function toTools(value: Json): Read {
  const list = Array.isArray(value) ? value : [value];
  const tools: Json[] = [];
  for (const [index, tool] of list.entries()) {
    if (!isObject(tool)) return { problem: `Tool ${index + 1} must be an object with a "name" and "parameters"` };
    if (typeof tool.type === "string" && (tool.function !== undefined || tool.custom !== undefined)) tools.push(tool);
    else if (typeof tool.name !== "string") return { problem: `Tool ${index + 1} lacks a "name"` };
    else {
      const { type: _, ...definition } = tool;
      tools.push({ type: "function", function: definition });
    }
  }
  return tools.length === 0 ? {} : { value: tools };
}

/** A bare schema is wrapped; a whole `response_format` is taken as it is. */
function toResponseFormat(value: Json): Read {
  if (!isObject(value)) return { problem: 'Must be a JSON Schema, such as {"type": "object", "properties": {…}}' };
  if (typeof value.type === "string" && ["text", "json_object", "json_schema"].includes(value.type)) return { value };
  if (isObject(value.schema)) {
    return { value: { type: "json_schema", json_schema: { name: "answer", ...value } } };
  }
  return { value: { type: "json_schema", json_schema: { name: "answer", schema: value } } };
}

function toMessages(system: string, turns: readonly Turn[]): Json[] {
  const messages: Json[] = system.trim() === "" ? [] : [{ role: "system", content: system }];
  for (const turn of turns) messages.push(...(turn.role === "user" ? [toUserMessage(turn)] : toAnswerMessages(turn)));
  return messages;
}

function toUserMessage({ text, images }: UserTurn): JsonObject {
  if (images.length === 0) return { role: "user", content: text };
  const parts: Json[] = images.map(({ url }) => ({ type: "image_url", image_url: { url } }));
  return { role: "user", content: text === "" ? parts : [{ type: "text", text }, ...parts] };
}

/** The answer and the results of its calls. Of one that was cut, only the text is of use; without text it is left out. */
function toAnswerMessages(turn: AssistantTurn): Json[] {
  const { content, reasoning, refusal, calls, answered } = chosenOf(turn);
  const isComplete = turn.progress === "done";
  const withCalls = isComplete && calls.length > 0;
  if (content === "" && refusal === "" && !withCalls) return isComplete ? [{ role: "assistant", content }] : [];
  const message: JsonObject = {
    role: "assistant",
    content: content === "" && withCalls ? null : content,
    ...(refusal !== "" && { refusal }),
    ...(reasoning !== "" && withCalls && { reasoning }),
    ...(withCalls && {
      tool_calls: calls.map(({ id, type, name, input }) =>
        type === "custom" ? { id, type, custom: { name, input } } : { id, type, function: { name, arguments: input } }
      ),
    }),
  };
  // A result that nobody has given is none: an empty text would be one.
  if (!withCalls || !answered) return [message];
  return [message, ...calls.map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result }))];
}
