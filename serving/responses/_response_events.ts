/** From the chunks of a canonical stream to the events of a streamed response. */
import type {
  ChatChunkChoice,
  ChatCompletionChunk,
  ChatModelError,
  FinishReason,
  ToolCallDelta,
  Usage,
} from "../../types/mod.ts";
import type { StoredObject } from "../response_store.ts";
import { outputItemId } from "./_item_ids.ts";
import { OpenCall, OpenMessage, OpenReasoning } from "./_open_items.ts";
import { toAnnotation, toProbabilities } from "./_output_items.ts";
import { makeResponse, type Outcome, type ResponseHead, statusOf, wantsSummary } from "./_response_object.ts";
import type { ItemStatus, OutputItem, ResponseEvent, ResponseObject } from "./_wire.ts";

/** Key of the one call in the deprecated form of the chat API, among those that have an index. */
const FUNCTION_CALL = -1;

/**
 * The state machine behind a streamed response. Pure: chunks in, events out, which the caller numbers and sends.
 *
 * Thinking and words follow one another: an item of one kind ends where another begins. Calls stay open to the end, as
 * models may give several at once, piece by piece.
 */
export class ResponseEvents {
  readonly #head: ResponseHead;
  readonly #asSummary: boolean;
  readonly #items: (OpenMessage | OpenReasoning | OpenCall)[] = [];
  readonly #calls = new Map<number, OpenCall>();
  #current: OpenMessage | OpenReasoning | undefined;
  #model: string;
  #finishReason: FinishReason | undefined;
  #usage: Usage | undefined;
  #serviceTier: string | undefined;
  #customOutputs: StoredObject | undefined;

  /**
   * Begins a response.
   *
   * @param head What it has from its beginning on.
   * @param model Name of the model as far as it is known; chunks tell it for sure.
   */
  constructor(head: ResponseHead, model: string) {
    this.#head = head;
    this.#model = model;
    this.#asSummary = wantsSummary(head.request);
  }

  /** The events before all others. */
  begin(): ResponseEvent[] {
    const response = this.#response({ status: "in_progress" });
    return [{ type: "response.created", response }, { type: "response.in_progress", response }];
  }

  /** The events that a chunk makes. */
  push(chunk: ChatCompletionChunk): ResponseEvent[] {
    const { model, usage, service_tier, custom_outputs } = chunk;
    this.#model = model;
    if (usage) this.#usage = usage;
    if (service_tier !== undefined) this.#serviceTier = service_tier;
    if (custom_outputs !== undefined) this.#customOutputs = { ...this.#customOutputs, ...custom_outputs };
    const events: ResponseEvent[] = [];
    // There is but one answer in this API, so that no other was asked for.
    for (const choice of chunk.choices) if (choice.index === 0) this.#pushChoice(choice, events);
    return events;
  }

  /**
   * Ends the response.
   *
   * @param events Takes the events that are left but the last one, which has the response.
   * @returns The response.
   */
  end(events: ResponseEvent[]): ResponseObject {
    const status = statusOf(this.#finishReason);
    // Without any item, an answer could not be told from one that is missing; but one that was cut while the model
    // thought has no words.
    if (this.#finishReason !== "length" && this.#items.every((item) => item instanceof OpenReasoning)) {
      this.#message(events).write("output_text", "", [], events);
    }
    const last = this.#items.at(-1);
    for (const item of this.#items) item.close(item === last ? status : "completed", events);
    return this.#response({ status, finishReason: this.#finishReason });
  }

  /** The events that end a response that failed. */
  fail({ status, code, message, type, param }: ChatModelError): ResponseEvent[] {
    const error = { code: status === 429 ? "rate_limit_exceeded" as const : "server_error" as const, message };
    return [
      // Flat as OpenAI's schema has it, nested as its servers send it: each of its clients reads one of the two.
      { type: "error", code, message, param, error: { type, code, message, param } },
      { type: "response.failed", response: this.#response({ status: "failed", error }) },
    ];
  }

  #response(outcome: Pick<Outcome, "status" | "error" | "finishReason">): ResponseObject {
    return makeResponse(this.#head, {
      ...outcome,
      model: this.#model,
      output: this.#output(outcome.status === "in_progress" ? "in_progress" : "incomplete"),
      usage: this.#usage,
      serviceTier: this.#serviceTier,
      customOutputs: this.#customOutputs,
    });
  }

  #output(statusOfOpen: ItemStatus): OutputItem[] {
    return this.#items.map((item) => item.closed ?? item.snapshot(statusOfOpen));
  }

  #pushChoice({ delta, logprobs, finish_reason }: ChatChunkChoice, events: ResponseEvent[]): void {
    if (finish_reason !== null) this.#finishReason = finish_reason;
    if (delta.reasoning) this.#reasoning(events).write(delta.reasoning, events);
    const tokens = toProbabilities(logprobs?.content);
    if (delta.content || tokens.length > 0) {
      this.#message(events).write("output_text", delta.content ?? "", tokens, events);
    }
    if (delta.refusal) this.#message(events).write("refusal", delta.refusal, [], events);
    for (const annotation of delta.annotations ?? []) this.#message(events).annotate(toAnnotation(annotation), events);
    for (const call of delta.tool_calls ?? []) this.#pushCall(call, events);
    if (delta.function_call !== undefined) {
      this.#pushCall({ index: FUNCTION_CALL, function: delta.function_call }, events);
    }
  }

  #reasoning(events: ResponseEvent[]): OpenReasoning {
    if (this.#current instanceof OpenReasoning) return this.#current;
    this.#current?.close("completed", events);
    const opened = new OpenReasoning(...this.#place("reasoning"), this.#asSummary);
    return this.#current = this.#open(opened, events);
  }

  #message(events: ResponseEvent[]): OpenMessage {
    if (this.#current instanceof OpenMessage) return this.#current;
    this.#current?.close("completed", events);
    return this.#current = this.#open(new OpenMessage(...this.#place("message")), events);
  }

  #pushCall(delta: ToolCallDelta, events: ResponseEvent[]): void {
    const { index, id = `call_${this.#head.id.slice(-24)}`, custom, function: called } = delta;
    let call = this.#calls.get(index);
    if (call === undefined) {
      this.#current?.close("completed", events);
      this.#current = undefined;
      const type = custom === undefined ? "function" : "custom";
      const name = called?.name ?? custom?.name ?? "";
      call = new OpenCall(...this.#place(type === "function" ? "function_call" : "custom_tool_call"), {
        type,
        id,
        name,
      });
      this.#calls.set(index, this.#open(call, events));
    }
    call.write(called?.arguments ?? custom?.input ?? "", events);
  }

  /** Id and position of the next item. */
  #place(type: string): [id: string, index: number] {
    const index = this.#items.length;
    return [outputItemId(this.#head.id, type, index), index];
  }

  #open<Item extends OpenMessage | OpenReasoning | OpenCall>(item: Item, events: ResponseEvent[]): Item {
    this.#items.push(item);
    events.push({ type: "response.output_item.added", output_index: item.index, item: item.snapshot("in_progress") });
    return item;
  }
}
