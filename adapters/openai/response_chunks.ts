import { Accumulator } from "../../streaming/accumulate.ts";
import type { ChatCompletionResponse } from "../../types/mod.ts";
import { isJsonObject, type JsonObject } from "../../types/_schema.ts";
import { badRecord } from "./_errors.ts";
import { AnswerConverter, type AnswerSetup } from "./convert_response.ts";
import { Item, type ItemKind } from "./_response_item.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** Members of a response that a chat completion has as well, or that repeat the request. */
const KNOWN: ReadonlySet<string> = new Set([
  "id",
  "object",
  "created_at",
  "completed_at",
  "status",
  "error",
  "incomplete_details",
  "model",
  "output",
  "usage",
  "service_tier",
  "custom_outputs",
  "background",
  "instructions",
  "max_output_tokens",
  "max_tool_calls",
  "metadata",
  "parallel_tool_calls",
  "previous_response_id",
  "prompt_cache_key",
  "prompt_cache_retention",
  "reasoning",
  "safety_identifier",
  "store",
  "temperature",
  "text",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "truncation",
  "user",
  "output_text",
  "frequency_penalty",
  "presence_penalty",
  "prompt",
  "conversation",
  "moderation",
]);

/**
 * Turns the events of a response into chunks of a chat completion, which are then read like those of any server. Pure.
 *
 * Texts come once, however often they are told: what an event at the end of an item repeats is given as far as it was
 * not given before. Events of other kinds are passed over; items of other kinds, such as searches of the server's own,
 * stand in `output_items` of the last chunk.
 */
export class ResponseChunks {
  readonly #setup: AnswerSetup;
  readonly #items: Item[] = [];
  readonly #otherItems: JsonObject[] = [];
  #head: JsonObject = {};
  #calls = 0;

  /**
   * Makes a converter for one response.
   *
   * @param setup What it is read with.
   */
  constructor(setup: AnswerSetup) {
    this.#setup = setup;
  }

  /**
   * Converts an event, or a response as a whole.
   *
   * @param event The event.
   * @returns The chunks that it makes.
   * @throws {UpstreamError} If it cannot be understood.
   */
  push(event: OpenAIAnswer): OpenAIAnswer[] {
    const { type, response } = event;
    if (type === undefined) return this.#end(event);
    if (isJsonObject(response)) {
      this.#note(response);
      if (type === "response.incomplete") return this.#end({ ...response, status: "incomplete" });
      return type === "response.completed" ? this.#end(response) : [];
    }
    const deltas = this.#pushOne(String(type).replace(/^response\./, ""), event);
    return deltas.map((choice) => this.#chunk(choice));
  }

  #pushOne(type: string, event: OpenAIAnswer): JsonObject[] {
    switch (type) {
      case "output_item.added":
        return this.#open(event).begin(this.#item(event));
      case "output_item.done":
        return this.#open(event).finish(this.#item(event));
      case "output_text.delta":
      case "refusal.delta":
      case "reasoning_text.delta":
      case "reasoning_summary_text.delta":
      case "function_call_arguments.delta":
      case "custom_tool_call_input.delta":
        return this.#open(event, KINDS[type]).write(type.slice(0, -".delta".length), event);
      case "output_text.annotation.added":
        return this.#open(event, "message").annotate(event.annotation);
      default:
        return [];
    }
  }

  /**
   * The item that an event speaks of: by its position, by its id, or, as llama.cpp leaves out the one and others the
   * other, the last of its kind.
   */
  #open(event: OpenAIAnswer, kind: ItemKind = kindOf(event.item)): Item {
    const { output_index: index, item } = event;
    if (index !== undefined && typeof index !== "number") throw this.#bad("output_index");
    const id = event.item_id ?? (isJsonObject(item) ? item.id : undefined);
    const isNew = event.type === "response.output_item.added";
    const found = (index === undefined ? undefined : this.#items.find((item) => item.index === index)) ??
      (id === undefined ? undefined : this.#items.find((item) => item.id === id)) ??
      (isNew || index !== undefined || id !== undefined
        ? undefined
        : this.#items.findLast((item) => item.kind === kind));
    if (found !== undefined) return found;
    const opened = new Item(kind, {
      index,
      id: typeof id === "string" ? id : undefined,
      callIndex: () => this.#calls++,
      bad: (member) => this.#bad(member),
    });
    this.#items.push(opened);
    return opened;
  }

  #item({ item }: OpenAIAnswer): JsonObject {
    if (isJsonObject(item)) return item;
    throw this.#bad("item");
  }

  #note({ id, created_at, model, service_tier }: JsonObject): void {
    this.#head = {
      ...this.#head,
      ...(typeof id === "string" && { id }),
      ...(typeof created_at === "number" && { created: Math.floor(created_at) }),
      ...(typeof model === "string" && model !== "" && { model }),
      ...(typeof service_tier === "string" && { service_tier }),
    };
  }

  /** What is left: items that no event told of, why it ended, and what it took. */
  #end(response: JsonObject): OpenAIAnswer[] {
    this.#note(response);
    const { output, usage, custom_outputs } = response;
    const items = Array.isArray(output) ? output : [];
    const chunks = items.flatMap((item: unknown, output_index) => {
      if (!isJsonObject(item)) throw this.#bad(`output.${output_index}`);
      const kind = kindOf(item);
      if (kind === "other") this.#otherItems.push(item);
      // Where events had no positions, or ids of their own, the order is what is left.
      const known = this.#items.find(({ index, id }) =>
        index === output_index || (id !== undefined && id === item.id)
      ) ??
        (this.#items[output_index]?.kind === kind ? this.#items[output_index] : this.#open({ output_index, item }));
      return known.finish(item).map((choice) => this.#chunk(choice));
    });
    const rest = Object.fromEntries(Object.entries(response).filter(([name]) => !KNOWN.has(name)));
    return [
      ...chunks,
      {
        ...rest,
        ...this.#chunk({ delta: {}, finish_reason: this.#finishReason(response) }),
        ...(this.#otherItems.length > 0 && { output_items: this.#otherItems }),
        ...(isJsonObject(custom_outputs) && { custom_outputs }),
        ...(isJsonObject(usage) && { usage: toUsage(usage) }),
      },
    ];
  }

  #finishReason({ status, incomplete_details: details }: JsonObject): string {
    if (status === "incomplete") {
      const reason = isJsonObject(details) ? details.reason : undefined;
      return reason === "content_filter" ? reason : "length";
    }
    return this.#calls > 0 ? "tool_calls" : "stop";
  }

  #chunk(choice: JsonObject): OpenAIAnswer {
    return {
      ...this.#head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, finish_reason: null, ...choice }],
    };
  }

  #bad(member: string): Error {
    const { model, url } = this.#setup;
    return badRecord(
      { action: `chat with model "${model}"`, url, hide: (text) => text },
      `is not as expected: "${member}" of an event is missing or of another kind`,
    );
  }
}

/**
 * Turns a whole response into a canonical answer. Pure.
 *
 * @param response The response object.
 * @param setup What it is read with.
 * @returns The answer.
 * @throws {UpstreamError} If it cannot be understood.
 */
export function convertWholeResponse(response: OpenAIAnswer, setup: AnswerSetup): ChatCompletionResponse {
  const converter = new AnswerConverter(setup);
  const accumulator = new Accumulator();
  for (const chunk of new ResponseChunks(setup).push(response)) {
    converter.push(chunk).forEach(accumulator.add, accumulator);
  }
  converter.end().forEach(accumulator.add, accumulator);
  return accumulator.response();
}

const KINDS = {
  "output_text.delta": "message",
  "refusal.delta": "message",
  "reasoning_text.delta": "reasoning",
  "reasoning_summary_text.delta": "reasoning",
  "function_call_arguments.delta": "function_call",
  "custom_tool_call_input.delta": "custom_tool_call",
} as const;

function kindOf(item: unknown): ItemKind {
  const type = isJsonObject(item) ? item.type : undefined;
  switch (type) {
    case "message":
    case "reasoning":
    case "function_call":
    case "custom_tool_call":
      return type;
    default:
      return "other";
  }
}

function toUsage(usage: JsonObject): JsonObject {
  const { input_tokens, output_tokens, total_tokens, input_tokens_details, output_tokens_details, ...rest } = usage;
  return {
    ...rest,
    prompt_tokens: input_tokens,
    completion_tokens: output_tokens,
    ...(total_tokens !== undefined && { total_tokens }),
    ...(isJsonObject(input_tokens_details) && { prompt_tokens_details: input_tokens_details }),
    ...(isJsonObject(output_tokens_details) && { completion_tokens_details: output_tokens_details }),
  };
}
