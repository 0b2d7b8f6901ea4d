/** What must come out of the adapter for each recorded exchange, worked out from the recording alone. */
import { assert, assertEquals } from "@std/assert";
import type { ChatCompletionChunk, ChatCompletionResponse } from "../../../types/mod.ts";
import { recordedBody, type Recording } from "../../support/replay.ts";

export type Fields = { readonly [key: string]: unknown };

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The recorded request's body; empty where it is no JSON object. */
function requestBody({ request }: Recording): Fields {
  if (request.body_text === undefined) return fields(request.body);
  try {
    return fields(JSON.parse(request.body_text));
  } catch {
    return {}; // Broken on purpose.
  }
}

/** Exchanges without an answer that could be replayed: the client left, or there were several answers. */
export const WITHOUT_ANSWER = new Set(["disconnect_nonstream", "concurrent_4"]);

/** Requests that cannot be said in OpenAI's terms: of these only the answer is replayed. */
export const NOT_EXPRESSIBLE = new Set([
  "bad_json",
  "bad_json_array",
  "bad_json_trailing",
  "bad_json_truncated",
  "chat_load",
  "chat_load_empty_messages",
  "chat_load_stream_true",
  "chat_unload",
  "content_missing",
  "content_null",
  "content_array",
  "content_number",
  "empty_body",
  "keep_alive_negative",
  "load_small",
  "messages_string",
  "model_empty",
  "model_missing_key",
  "model_number",
  "role_missing",
  "role_unknown",
  "role_upper",
  "stream_string",
  "tools_args_as_string",
  "tools_bad_shape",
  "tools_no_parameters",
  "tools_schema_dropped",
]);

/** Requests that are refused before Ollama could: the path that is named. Of these, too, the answer is replayed. */
export const REFUSED: { readonly [scenario: string]: string } = {
  format_array: "format",
  format_bad_schema: "format.properties.a.type",
  format_bad_string: "format",
  format_bad_string_stream: "format",
  format_number: "format",
  images_bad_base64: "messages.0.content.1.image_url.url",
  images_data_uri: "messages.0.content.1.image_url.url",
  images_non_vision: "messages.0.content.1",
  images_non_vision_stream: "messages.0.content.1",
  images_not_image: "messages.0.content.1.image_url.url",
  images_string: "messages.0.content.1.image_url.url",
  keep_alive_bad_text: "keep_alive",
  keep_alive_bool: "keep_alive",
  keep_alive_no_unit: "keep_alive",
  native_image: "messages.0.content.1",
  native_num_predict_0: "max_tokens",
  num_predict_0: "max_tokens",
  options_array: "options",
  options_num_predict_string: "options.num_predict",
  options_stop_mixed: "options.stop",
  options_stop_string: "options.stop",
  options_temp_numeric_string: "options.temperature",
  options_temp_string: "options.temperature",
  think_number: "think",
  top_logprobs_21: "top_logprobs",
};

export interface Outcome {
  readonly content: string | null;
  readonly reasoning: string;
  readonly calls: readonly unknown[];
  readonly finishReason: string;
  readonly usage: unknown;
  readonly tokens: readonly string[] | null;
  readonly durations: Fields;
}

/** Computes from the recorded bytes what must come out. */
export function expectedOutcome(recording: Recording): Outcome {
  const body = requestBody(recording);
  const records = recordedBody(recording).trim().split("\n").map((line) => fields(JSON.parse(line)));
  const messages = records.map((record) => fields(record.message));
  const last = fields(records.at(-1));
  const all = messages.map((message) => String(message.content ?? "")).join("");
  const content = body.think === false ? all.replace(/^\s*<think>[^]*?<\/think>\s*/, "") : all;
  const reasoning = messages.map((message) => String(message.thinking ?? "")).join("");
  const calls = messages.flatMap((message) => list(message.tool_calls)).map((call) => {
    const { id, function: called } = fields(call);
    return { id, name: fields(called).name, arguments: fields(called).arguments };
  });
  const tokens = records.flatMap((record) => list(record.logprobs)).map((entry) => String(fields(entry).token));
  const count = (name: string) => typeof last[name] === "number" ? last[name] : 0;
  const durations = ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"];
  return {
    content: content === "" && calls.length > 0 ? null : content,
    reasoning,
    calls,
    finishReason: calls.length > 0 && last.done_reason === "stop" ? "tool_calls" : String(last.done_reason ?? "stop"),
    usage: {
      prompt_tokens: count("prompt_eval_count"),
      completion_tokens: count("eval_count"),
      total_tokens: count("prompt_eval_count") + count("eval_count"),
    },
    // Tokens of thinking and of calls are none of the content's.
    tokens: tokens.length === 0 || reasoning !== "" || calls.length > 0 ? null : tokens,
    durations: Object.fromEntries(
      durations.flatMap((name) => name in last ? [[name, count(name) / 1e6]] : []),
    ),
  };
}

export function outcomeOf(response: ChatCompletionResponse): Outcome {
  assertEquals(response.choices.length, 1);
  const [choice] = response.choices;
  assert(choice !== undefined);
  const { message } = choice;
  assertEquals(message.reasoning, message.reasoning_content);
  return {
    content: message.content,
    reasoning: message.reasoning ?? "",
    calls: (message.tool_calls ?? []).map((call) => {
      assert(call.type === "function");
      return { id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) };
    }),
    finishReason: choice.finish_reason,
    usage: response.usage,
    tokens: choice.logprobs?.content?.map(({ token }) => token) ?? null,
    durations: durationsIn(response.custom_outputs),
  };
}

function durationsIn(outputs: Fields | undefined): Fields {
  return Object.fromEntries(
    Object.entries(fields(outputs?.ollama)).filter(([name]) => name.endsWith("_duration")),
  );
}

/** Puts the chunks of a stream together, by OpenAI's rules and without the package's own code for it. */
export function outcomeOfChunks(chunks: readonly ChatCompletionChunk[]): Outcome {
  let content: string | null = null;
  let reasoning = "";
  let tokens: string[] | null = null;
  const calls: { id: string; name: string; text: string }[] = [];
  for (const [position, chunk] of chunks.entries()) {
    const [choice] = chunk.choices;
    if (choice === undefined) continue;
    const { delta } = choice;
    assertEquals(delta.role, position === 0 ? "assistant" : undefined);
    if (typeof delta.content === "string") content = (content ?? "") + delta.content;
    assertEquals(delta.reasoning, delta.reasoning_content);
    reasoning += delta.reasoning ?? "";
    for (const { index, id, function: called } of delta.tool_calls ?? []) {
      if (id !== undefined) {
        assertEquals(index, calls.length);
        calls.push({ id, name: called?.name ?? "", text: called?.arguments ?? "" });
      } else {
        const call = calls[index];
        assert(call !== undefined);
        call.text += called?.arguments ?? "";
      }
    }
    if (choice.logprobs?.content) tokens = [...tokens ?? [], ...choice.logprobs.content.map(({ token }) => token)];
  }
  const finishes = chunks.flatMap(({ choices }) => choices.flatMap(({ finish_reason }) => finish_reason ?? []));
  assertEquals(finishes.length, 1);
  const outputs = chunks.find((chunk) => chunk.custom_outputs !== undefined)?.custom_outputs;
  return {
    content: content === "" && calls.length > 0 ? null : content,
    reasoning,
    calls: calls.map(({ id, name, text }) => ({ id, name, arguments: JSON.parse(text) })),
    finishReason: String(finishes[0]),
    usage: chunks.at(-1)?.usage,
    tokens,
    durations: durationsIn(outputs),
  };
}

/** The recorded request in OpenAI's terms, as far as it has them; the rest as an SDK's `extra_body` puts it. */
export function toOpenAI(recording: Recording): Fields {
  const { options, messages, stream: _stream, _debug_render_only: _debug, ...rest } = requestBody(recording);
  const request: { [name: string]: unknown } = { ...rest, messages: list(messages).map(toOpenAIMessage) };
  if (!isFields(options)) return options === undefined ? request : { ...request, options };
  const own = { ...options };
  for (const name of ["temperature", "top_p", "top_k", "min_p", "seed", "presence_penalty", "frequency_penalty"]) {
    if (typeof own[name] === "number") request[name] = take(own, name);
  }
  const limit = own.num_predict;
  if (typeof limit === "number" && limit >= 0 && Number.isInteger(limit)) {
    request.max_tokens = take(own, "num_predict");
  }
  const stop = own.stop;
  if (Array.isArray(stop) && stop.length > 0 && stop.every((text) => typeof text === "string")) {
    const texts: unknown = take(own, "stop");
    request.stop = list(texts).length === 1 ? list(texts)[0] : texts;
  }
  return { ...request, options: own };
}

function take(from: { [name: string]: unknown }, name: string): unknown {
  const value = from[name];
  delete from[name];
  return value;
}

function toOpenAIMessage(message: unknown): unknown {
  const { role, content, thinking, images, tool_calls: calls, tool_name: name, tool_call_id: id } = fields(message);
  return {
    role,
    content: images === undefined ? content : [
      { type: "text", text: content },
      ...(Array.isArray(images) ? images : [images]).map((image) => ({
        type: "image_url",
        // What stands there in place of base64 is handed on as it is.
        image_url: { url: Array.isArray(images) ? `data:image/png;base64,${image}` : "no list" },
      })),
    ],
    ...(thinking !== undefined && { reasoning: thinking }),
    ...(name !== undefined && { name }),
    ...(id !== undefined && { tool_call_id: id }),
    ...(calls !== undefined && {
      tool_calls: list(calls).map((call) => {
        const { name, arguments: input } = fields(fields(call).function);
        return { id: fields(call).id, type: "function", function: { name, arguments: JSON.stringify(input) } };
      }),
    }),
  };
}

/** The recorded request as the adapter is to send it: what means nothing is left out, what is implied is said. */
export function expectedBody(recording: Recording): Fields {
  const body = requestBody(recording);
  const options = Object.fromEntries(Object.entries(fields(body.options)).filter(([, value]) => value !== null));
  const {
    options: _options,
    num_predict: rootLimit,
    top_logprobs: _top,
    wibble: _unknown,
    _debug_render_only: _debug,
    ...rest
  } = body;
  const kept = Object.entries(rest).filter(([, value]) =>
    value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)
  );
  // An option at the root, which Ollama ignores, is meant as one.
  const all = { ...options, ...(rootLimit !== undefined && { num_predict: rootLimit }) };
  return {
    ...Object.fromEntries(kept),
    ...(Object.keys(all).length > 0 && { options: all }),
    ...(body.logprobs === true && body.top_logprobs !== undefined && { top_logprobs: body.top_logprobs }),
    truncate: body.truncate ?? false,
    stream: body.stream ?? true,
  };
}

export function isStreamed(recording: Recording): boolean {
  return requestBody(recording).stream !== false;
}

export function modelOf(recording: Recording): string {
  const { model } = requestBody(recording);
  return typeof model === "string" && model !== "" ? model : "plain";
}
