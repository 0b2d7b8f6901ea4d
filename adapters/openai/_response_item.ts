import { isJsonObject, type JsonObject } from "../../types/_schema.ts";

/** What an item of a response is. */
export type ItemKind = "message" | "reasoning" | "function_call" | "custom_tool_call" | "other";

/** What an item needs to know of the response around it. */
export interface ItemSetup {
  /** Its position in the output, if the server tells. */
  readonly index: number | undefined;
  /** Its id, if the server tells. */
  readonly id: string | undefined;
  /** Takes the next position among the calls. */
  readonly callIndex: () => number;
  /** Makes the error for a member that is not as it must be. */
  readonly bad: (member: string) => Error;
}

/** One item of a response: turns what is told of it into choices of chunks, each text once. */
export class Item {
  readonly kind: ItemKind;
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly #setup: ItemSetup;
  /** Characters given, by kind of text and part. */
  readonly #given = new Map<string, number>();
  #call: number | undefined;
  #annotations = 0;

  constructor(kind: ItemKind, setup: ItemSetup) {
    this.kind = kind;
    this.index = setup.index;
    this.id = setup.id;
    this.#setup = setup;
  }

  /** It was added: of calls, the name is known by now. */
  begin(item: JsonObject): JsonObject[] {
    return this.#isCall ? this.#beginCall(item) : [];
  }

  /** A piece of one of its texts. */
  write(name: string, { delta, logprobs, content_index, summary_index }: JsonObject): JsonObject[] {
    if (typeof delta !== "string") throw this.#setup.bad("delta");
    const part = content_index ?? summary_index ?? 0;
    return this.#give(name, `${part}`, delta, logprobs);
  }

  /** A source of its words. */
  annotate(annotation: unknown): JsonObject[] {
    if (!isJsonObject(annotation)) throw this.#setup.bad("annotation");
    this.#annotations++;
    const { type, ...citation } = annotation;
    // OpenAI's other API has its members one level deeper.
    return [{ delta: { annotations: [type === "url_citation" ? { type, url_citation: citation } : annotation] } }];
  }

  /** It is whole: gives what was not given before. */
  finish(item: JsonObject): JsonObject[] {
    switch (this.kind) {
      case "message":
        return partsOf(item.content).flatMap((part, i) => this.#finishPart(part, i));
      case "reasoning":
        return [
          ...partsOf(item.content).flatMap(({ text }, i) => this.#rest("reasoning_text", i, text)),
          ...partsOf(item.summary).flatMap(({ text }, i) => this.#rest("reasoning_summary_text", i, text)),
        ];
      case "function_call":
        return [...this.#beginCall(item), ...this.#rest("function_call_arguments", 0, item.arguments)];
      case "custom_tool_call":
        return [...this.#beginCall(item), ...this.#rest("custom_tool_call_input", 0, item.input)];
      case "other":
        return [];
    }
  }

  get #isCall(): boolean {
    return this.kind === "function_call" || this.kind === "custom_tool_call";
  }

  #beginCall({ call_id, name }: JsonObject): JsonObject[] {
    if (this.#call !== undefined) return [];
    if (typeof name !== "string") throw this.#setup.bad("item.name");
    if (typeof call_id !== "string") throw this.#setup.bad("item.call_id");
    const index = this.#call = this.#setup.callIndex();
    const call = this.kind === "function_call"
      ? { type: "function", function: { name, arguments: "" } }
      : { type: "custom", custom: { name, input: "" } };
    return [{ delta: { tool_calls: [{ index, id: call_id, ...call }] } }];
  }

  #finishPart({ type, text, refusal, annotations, logprobs }: JsonObject, index: number): JsonObject[] {
    if (type === "refusal") return this.#rest("refusal", index, refusal);
    // Of other kinds of parts, such as sound, only the text is known how to be given.
    if (type !== "output_text" && typeof text !== "string") return [];
    const late = Array.isArray(annotations) ? annotations.slice(this.#annotations) : [];
    return [...this.#rest("output_text", index, text, logprobs), ...late.flatMap((one) => this.annotate(one))];
  }

  #rest(name: string, part: number, text: unknown, logprobs?: unknown): JsonObject[] {
    if (typeof text !== "string") throw this.#setup.bad(name);
    const given = this.#given.get(`${name} ${part}`) ?? 0;
    // Those of what was given came with it.
    return text.length <= given
      ? []
      : this.#give(name, `${part}`, text.slice(given), given === 0 ? logprobs : undefined);
  }

  #give(name: string, part: string, text: string, logprobs: unknown): JsonObject[] {
    const key = `${name} ${part}`;
    // A summary tells once more what the thinking itself told, or the other way round.
    if (this.kind === "reasoning" && ![...this.#given.keys()].every((given) => given.startsWith(`${name} `))) {
      return [];
    }
    const isNewPart = !this.#given.has(key) && this.#given.size > 0;
    this.#given.set(key, (this.#given.get(key) ?? 0) + text.length);
    switch (name) {
      case "output_text":
        return [{
          delta: { content: text },
          ...(Array.isArray(logprobs) && logprobs.length > 0 && { logprobs: { content: logprobs, refusal: null } }),
        }];
      case "refusal":
        return [{ delta: { refusal: text } }];
      case "function_call_arguments":
      case "custom_tool_call_input":
        return [{ delta: { tool_calls: [this.#fragment(text)] } }];
      default:
        return [{ delta: { reasoning: isNewPart ? `\n\n${text}` : text } }];
    }
  }

  #fragment(text: string): JsonObject {
    if (this.#call === undefined) throw this.#setup.bad("item");
    return this.kind === "function_call"
      ? { index: this.#call, function: { arguments: text } }
      : { index: this.#call, custom: { input: text } };
  }
}

function partsOf(parts: unknown): JsonObject[] {
  return Array.isArray(parts) ? parts.filter((part: unknown) => isJsonObject(part)) : [];
}
