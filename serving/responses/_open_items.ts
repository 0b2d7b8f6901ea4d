/** Items of a streamed response that are not whole yet. */
import type { StoredObject } from "../response_store.ts";
import { callItem, messageItem, reasoningItem, refusalPart, textPart } from "./_output_items.ts";
import type {
  ItemStatus,
  OutputCustomCall,
  OutputFunctionCall,
  OutputItem,
  OutputMessage,
  OutputReasoning,
  ResponseEvent,
  TokenProbability,
} from "./_wire.ts";

/** What all items have. */
abstract class OpenItem<Whole extends OutputItem> {
  readonly id: string;
  /** Its position in the output. */
  readonly index: number;
  /** The item, once it has ended. */
  closed: Whole | undefined;

  constructor(id: string, index: number) {
    this.id = id;
    this.index = index;
  }

  /** The item as it is now. */
  abstract snapshot(status: ItemStatus): Whole;

  /** Ends what is within the item. */
  abstract end(events: ResponseEvent[]): void;

  /** Ends the item, unless it has ended. */
  close(status: ItemStatus, events: ResponseEvent[]): void {
    if (this.closed !== undefined) return;
    this.end(events);
    this.closed = this.snapshot(status);
    events.push({ type: "response.output_item.done", output_index: this.index, item: this.closed });
  }

  /** Where an event of the item belongs. */
  protected get place(): { readonly item_id: string; readonly output_index: number } {
    return { item_id: this.id, output_index: this.index };
  }
}

/** Thinking: as it is, or in the place of a summary. */
export class OpenReasoning extends OpenItem<OutputReasoning> {
  readonly #asSummary: boolean;
  #text: string | undefined;

  constructor(id: string, index: number, asSummary: boolean) {
    super(id, index);
    this.#asSummary = asSummary;
  }

  snapshot(status: ItemStatus): OutputReasoning {
    return reasoningItem({ id: this.id, status }, this.#text, this.#asSummary);
  }

  /** Takes more of the thinking. */
  write(delta: string, events: ResponseEvent[]): void {
    const { place } = this;
    const summary = this.#asSummary;
    if (this.#text === undefined) {
      events.push(
        summary
          ? { type: "response.reasoning_summary_part.added", ...place, summary_index: 0, part: summaryPart("") }
          : { type: "response.content_part.added", ...place, content_index: 0, part: reasoningPart("") },
      );
    }
    this.#text = (this.#text ?? "") + delta;
    events.push(
      summary
        ? { type: "response.reasoning_summary_text.delta", ...place, summary_index: 0, delta }
        : { type: "response.reasoning_text.delta", ...place, content_index: 0, delta },
    );
  }

  end(events: ResponseEvent[]): void {
    const { place } = this;
    const text = this.#text;
    if (text === undefined) return;
    if (this.#asSummary) {
      events.push(
        { type: "response.reasoning_summary_text.done", ...place, summary_index: 0, text },
        { type: "response.reasoning_summary_part.done", ...place, summary_index: 0, part: summaryPart(text) },
      );
    } else {
      events.push(
        { type: "response.reasoning_text.done", ...place, content_index: 0, text },
        { type: "response.content_part.done", ...place, content_index: 0, part: reasoningPart(text) },
      );
    }
  }
}

function summaryPart(text: string): StoredObject {
  return { type: "summary_text", text };
}

function reasoningPart(text: string): StoredObject {
  return { type: "reasoning_text", text };
}

/** The part of a message that is being written. */
interface OpenPart {
  readonly type: "output_text" | "refusal";
  text: string;
  readonly logprobs: TokenProbability[];
  readonly annotations: StoredObject[];
}

/** Words and refusals. */
export class OpenMessage extends OpenItem<OutputMessage> {
  readonly #parts: OutputMessage["content"][number][] = [];
  #part: OpenPart | undefined;

  snapshot(status: ItemStatus): OutputMessage {
    const content = this.#part === undefined ? [...this.#parts] : [...this.#parts, wholePart(this.#part)];
    return messageItem({ id: this.id, status }, content);
  }

  /** Takes more words. */
  write(
    type: OpenPart["type"],
    delta: string,
    logprobs: readonly TokenProbability[],
    events: ResponseEvent[],
  ): void {
    const part = this.#open(type, events);
    part.text += delta;
    part.logprobs.push(...logprobs);
    const place = { ...this.place, content_index: this.#parts.length };
    if (type === "refusal") events.push({ type: "response.refusal.delta", ...place, delta });
    else if (delta !== "" || logprobs.length > 0) {
      events.push({ type: "response.output_text.delta", ...place, delta, logprobs });
    }
  }

  /** Takes a source of the words. */
  annotate(annotation: StoredObject, events: ResponseEvent[]): void {
    const { annotations } = this.#open("output_text", events);
    events.push({
      type: "response.output_text.annotation.added",
      ...this.place,
      content_index: this.#parts.length,
      annotation_index: annotations.length,
      annotation,
    });
    annotations.push(annotation);
  }

  end(events: ResponseEvent[]): void {
    const part = this.#part;
    if (part === undefined) return;
    const place = { ...this.place, content_index: this.#parts.length };
    const { text, logprobs } = part;
    const whole = wholePart(part);
    events.push(
      part.type === "refusal"
        ? { type: "response.refusal.done", ...place, refusal: text }
        : { type: "response.output_text.done", ...place, text, logprobs },
      { type: "response.content_part.done", ...place, part: whole },
    );
    this.#parts.push(whole);
    this.#part = undefined;
  }

  #open(type: OpenPart["type"], events: ResponseEvent[]): OpenPart {
    if (this.#part?.type === type) return this.#part;
    this.end(events);
    const part: OpenPart = this.#part = { type, text: "", logprobs: [], annotations: [] };
    events.push({
      type: "response.content_part.added",
      ...this.place,
      content_index: this.#parts.length,
      part: wholePart(part),
    });
    return part;
  }
}

function wholePart({ type, text, logprobs, annotations }: OpenPart): OutputMessage["content"][number] {
  return type === "refusal" ? refusalPart(text) : textPart(text, [...annotations], [...logprobs]);
}

/** A call of a tool. */
export class OpenCall extends OpenItem<OutputFunctionCall | OutputCustomCall> {
  readonly #type: "function" | "custom";
  readonly #callId: string;
  readonly #name: string;
  #text = "";

  constructor(
    id: string,
    index: number,
    { type, id: callId, name }: { readonly type: "function" | "custom"; readonly id: string; readonly name: string },
  ) {
    super(id, index);
    this.#type = type;
    this.#callId = callId;
    this.#name = name;
  }

  snapshot(status: ItemStatus): OutputFunctionCall | OutputCustomCall {
    const fields = { type: this.#type, callId: this.#callId, name: this.#name, text: this.#text };
    return callItem({ id: this.id, status }, fields);
  }

  /** Takes more of the arguments or the input. */
  write(delta: string, events: ResponseEvent[]): void {
    if (delta === "") return;
    this.#text += delta;
    const type = this.#type === "function" ? "function_call_arguments" : "custom_tool_call_input";
    events.push({ type: `response.${type}.delta`, ...this.place, delta });
  }

  end(events: ResponseEvent[]): void {
    const text = this.#text;
    events.push(
      this.#type === "function"
        ? { type: "response.function_call_arguments.done", ...this.place, name: this.#name, arguments: text }
        : { type: "response.custom_tool_call_input.done", ...this.place, input: text },
    );
  }
}
