import type {
  ChatChunkChoice,
  ChatCompletionChunk,
  ChatDelta,
  FinishReason,
  Logprobs,
  ToolCallDelta,
  Usage,
} from "../types/mod.ts";
import {
  errorInside,
  type Fields,
  invalidOutput,
  isFields,
  optionalContent,
  optionalCount,
  optionalFields,
  optionalFinishReason,
  optionalList,
  optionalLogprobs,
  optionalText,
  optionalUsage,
} from "./_checks.ts";
import { createId } from "./_ids.ts";
import { checkSaysSomething, isBareEnvelope, KNOWN_MEMBERS, PART_MEMBERS } from "./_members.ts";
import { MAX_TEXT, splitText, splitTextWithLogprobs } from "./_split.ts";
import { ToolCallNormaliser } from "./_tool_calls.ts";

/** What every chunk of an answer carries alike. The model's own values win over these. */
export interface NormaliseOptions {
  /** Id of the answer. Default: a new one. */
  readonly id?: string;
  /** When the answer was begun: seconds since 1970. Default: now. */
  readonly created?: number;
  /** The model that answers. @default {""} */
  readonly model?: string;
}

type Envelope = Pick<
  ChatCompletionChunk,
  "id" | "object" | "created" | "model" | "system_fingerprint" | "service_tier"
>;

interface OpenChoice {
  readonly toolCalls: ToolCallNormaliser;
  functionCalled: boolean;
  finishReason: FinishReason | undefined;
}

/**
 * The state machine behind `normalise`: takes what an author or upstream yields, gives canonical chunks.
 *
 * Synchronous, so that a consumer pays for no more awaits than the source itself needs.
 */
export class Normaliser {
  readonly #options: NormaliseOptions;
  readonly #choices = new Map<number, OpenChoice>();
  #first: OpenChoice | undefined;
  #envelope: Envelope | undefined;
  #fingerprint: string | undefined;
  #serviceTier: string | undefined;
  #usage: Usage | undefined;
  #customOutputs: Fields | undefined;

  constructor(options: NormaliseOptions = {}) {
    this.#options = options;
  }

  /**
   * Takes the next part and appends the chunks it makes to `out`.
   *
   * @throws {ChatModelError} If the part cannot be understood, or is an error that an upstream reported.
   */
  push(part: unknown, out: ChatCompletionChunk[]): void {
    if (typeof part === "string") {
      if (this.#first !== undefined && part.length <= MAX_TEXT) {
        if (part !== "") out.push(this.#chunk(0, { content: part }));
      } else {
        this.#pushMember(0, { content: part }, {}, "part", out);
      }
      return;
    }
    if (!isFields(part)) throw invalidOutput("what it yields", "text, a message or a chunk", part);
    if (part.error !== undefined && part.error !== null) throw errorInside(part.error);
    if (part.choices !== undefined || isBareEnvelope(part)) this.#pushChunk(part, out);
    else this.#pushPart(part, out);
  }

  /** Ends the answer: appends the finish chunks and the usage chunk to `out`. */
  end(out: ChatCompletionChunk[]): void {
    if (this.#choices.size === 0) this.#open(0, false, out);
    const indexes = [...this.#choices.keys()].sort((a, b) => a - b);
    for (const index of indexes) {
      const chunk = this.#chunk(index, {}, null, this.#finishReason(index));
      const last = index === indexes[indexes.length - 1];
      out.push(last && this.#customOutputs ? { ...chunk, custom_outputs: this.#customOutputs } : chunk);
    }
    if (this.#usage !== undefined) {
      out.push({ ...(this.#envelope ?? this.#makeEnvelope()), choices: [], usage: this.#usage });
    }
  }

  #pushPart(part: Fields, out: ChatCompletionChunk[]): void {
    checkSaysSomething(part);
    this.#takeCommon(part);
    const index = optionalCount(part.index, "index") ?? 0;
    this.#pushMember(index, part, part, "part", out);
  }

  #pushChunk(chunk: Fields, out: ChatCompletionChunk[]): void {
    this.#takeEnvelope(chunk);
    this.#takeCommon(chunk);
    const choices = optionalList(chunk.choices, "choices") ?? [];
    choices.forEach((choice, i) => {
      const path = `choices.${i}`;
      if (!isFields(choice)) throw invalidOutput(path, "an object", choice);
      // An answer that the author did not get, say: to take it for an empty one would hide that.
      if (choice.message === null && (choice.delta === undefined || choice.delta === null)) {
        throw invalidOutput(`${path}.message`, "a message", null);
      }
      const member = choice.message === undefined || choice.message === null ? "delta" : "message";
      const delta = optionalFields(choice[member], `${path}.${member}`) ?? {};
      const index = optionalCount(choice.index, `${path}.index`) ?? i;
      this.#pushMember(index, delta, choice, `${path}.${member}`, out);
    });
  }

  #pushMember(index: number, delta: Fields, around: Fields, path: string, out: ChatCompletionChunk[]): void {
    if (delta.role !== undefined && delta.role !== null && delta.role !== "" && delta.role !== "assistant") {
      throw invalidOutput(`${path}.role`, '"assistant"', delta.role);
    }
    const content = optionalContent(delta.content, `${path}.content`);
    const refusal = optionalText(delta.refusal, `${path}.refusal`);
    const reasoning = optionalText(delta.reasoning, `${path}.reasoning`) ??
      optionalText(delta.reasoning_content, `${path}.reasoning_content`);
    const toolCalls = optionalList(delta.tool_calls, `${path}.tool_calls`);
    const logprobs = optionalLogprobs(around.logprobs, "logprobs");
    const finishReason = optionalFinishReason(around.finish_reason, "finish_reason");

    const withoutText = content === undefined && (delta.content === null || (toolCalls?.length ?? 0) > 0);
    const choice = this.#open(index, withoutText, out);
    if (reasoning) {
      for (const text of splitText(reasoning)) {
        out.push(this.#chunk(index, { reasoning: text, reasoning_content: text }));
      }
    }
    if (content || logprobs?.content) {
      for (const piece of splitTextWithLogprobs(content ?? "", logprobs?.content ?? null, "content")) {
        out.push(this.#chunk(index, { content: piece.text }, piece.logprobs));
      }
    }
    if (refusal || logprobs?.refusal) {
      for (const piece of splitTextWithLogprobs(refusal ?? "", logprobs?.refusal ?? null, "refusal")) {
        out.push(this.#chunk(index, { refusal: piece.text }, piece.logprobs));
      }
    }
    toolCalls?.forEach((call, i) => {
      for (const piece of choice.toolCalls.push(call, `${path}.tool_calls.${i}`)) this.#pushToolCall(index, piece, out);
    });
    this.#pushFunctionCall(index, choice, delta, path, out);
    this.#pushRest(index, delta, path, around === delta, out);
    choice.finishReason ??= finishReason;
  }

  #pushToolCall(index: number, piece: ToolCallDelta, out: ChatCompletionChunk[]): void {
    const fragment = piece.function?.arguments ?? piece.custom?.input ?? "";
    if (fragment.length <= MAX_TEXT) {
      out.push(this.#chunk(index, { tool_calls: [piece] }));
      return;
    }
    for (const text of splitText(fragment)) {
      const own: ToolCallDelta = piece.custom
        ? { index: piece.index, custom: { input: text } }
        : { index: piece.index, function: { arguments: text } };
      out.push(this.#chunk(index, { tool_calls: [own] }));
    }
  }

  #pushFunctionCall(index: number, choice: OpenChoice, delta: Fields, path: string, out: ChatCompletionChunk[]): void {
    const call = optionalFields(delta.function_call, `${path}.function_call`);
    if (call === undefined) return;
    const name = optionalText(call.name, `${path}.function_call.name`);
    const text = optionalText(call.arguments, `${path}.function_call.arguments`) ?? "";
    if (!choice.functionCalled) {
      if (!name) throw invalidOutput(`${path}.function_call.name`, "the name of a function", call.name);
      choice.functionCalled = true;
      out.push(this.#chunk(index, { function_call: { name, arguments: "" } }));
    }
    if (text === "") return;
    for (const piece of splitText(text)) out.push(this.#chunk(index, { function_call: { arguments: piece } }));
  }

  /** What is handed on whole: annotations, audio, and members that this package does not know. */
  #pushRest(index: number, delta: Fields, path: string, flat: boolean, out: ChatCompletionChunk[]): void {
    const annotations = optionalList(delta.annotations, `${path}.annotations`)?.map((annotation, i) => {
      if (isFields(annotation)) return annotation;
      throw invalidOutput(`${path}.annotations.${i}`, "an object", annotation);
    });
    if (annotations !== undefined && annotations.length > 0) out.push(this.#chunk(index, { annotations }));
    const audio = optionalFields(delta.audio, `${path}.audio`);
    if (audio !== undefined) out.push(this.#chunk(index, { audio }));
    for (const [key, value] of Object.entries(delta)) {
      if (KNOWN_MEMBERS.has(key) || (flat && PART_MEMBERS.has(key)) || value === undefined || value === null) continue;
      if (key === "error") throw errorInside(value);
      out.push(this.#chunk(index, Object.fromEntries([[key, value]])));
    }
  }

  #takeCommon(part: Fields): void {
    this.#usage = optionalUsage(part.usage, "usage") ?? this.#usage;
    const outputs = optionalFields(part.custom_outputs, "custom_outputs");
    if (outputs !== undefined) this.#customOutputs = { ...this.#customOutputs, ...outputs };
  }

  #takeEnvelope(chunk: Fields): void {
    const fingerprint = optionalText(chunk.system_fingerprint, "system_fingerprint");
    const serviceTier = optionalText(chunk.service_tier, "service_tier");
    if (this.#envelope !== undefined) {
      // Id, time and model stay as they were: clients begin a new answer when the id changes.
      if (fingerprint !== undefined && fingerprint !== this.#fingerprint) {
        this.#fingerprint = fingerprint;
        this.#envelope = { ...this.#envelope, system_fingerprint: fingerprint };
      }
      if (serviceTier !== undefined && serviceTier !== this.#serviceTier) {
        this.#serviceTier = serviceTier;
        this.#envelope = { ...this.#envelope, service_tier: serviceTier };
      }
      return;
    }
    this.#fingerprint = fingerprint;
    this.#serviceTier = serviceTier;
    this.#makeEnvelope(
      optionalText(chunk.id, "id") || undefined,
      optionalCount(chunk.created, "created") || undefined,
      optionalText(chunk.model, "model") || undefined,
    );
  }

  #makeEnvelope(id?: string, created?: number, model?: string): Envelope {
    const options = this.#options;
    return this.#envelope = {
      id: id ?? options.id ?? createId("chatcmpl-"),
      object: "chat.completion.chunk",
      created: created ?? options.created ?? Math.floor(Date.now() / 1000),
      model: model ?? options.model ?? "",
      ...(this.#fingerprint !== undefined && { system_fingerprint: this.#fingerprint }),
      ...(this.#serviceTier !== undefined && { service_tier: this.#serviceTier }),
    };
  }

  #open(index: number, withoutText: boolean, out: ChatCompletionChunk[]): OpenChoice {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const choice: OpenChoice = { toolCalls: new ToolCallNormaliser(), functionCalled: false, finishReason: undefined };
    this.#choices.set(index, choice);
    if (index === 0) this.#first = choice;
    out.push(this.#chunk(index, { role: "assistant", content: withoutText ? null : "" }));
    return choice;
  }

  #finishReason(index: number): FinishReason {
    const choice = this.#choices.get(index);
    const reason = choice?.finishReason ?? "stop";
    if (reason !== "stop") return reason;
    return choice?.toolCalls.any ? "tool_calls" : choice?.functionCalled ? "function_call" : "stop";
  }

  #chunk(
    index: number,
    delta: ChatDelta,
    logprobs: Logprobs | null = null,
    finishReason: FinishReason | null = null,
  ): ChatCompletionChunk {
    const envelope = this.#envelope ?? this.#makeEnvelope();
    const choice: ChatChunkChoice = { index, delta, logprobs, finish_reason: finishReason };
    return envelope.system_fingerprint === undefined && envelope.service_tier === undefined
      // Written out, as this runs for each piece and spreading is slower.
      ? {
        id: envelope.id,
        object: "chat.completion.chunk",
        created: envelope.created,
        model: envelope.model,
        choices: [choice],
      }
      : { ...envelope, choices: [choice] };
  }
}
