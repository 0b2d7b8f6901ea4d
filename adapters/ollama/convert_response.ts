import type { AnswerPart, PartialUsage, ToolCallPart } from "../../streaming/mod.ts";
import { type TokenLogprob, UpstreamError } from "../../types/mod.ts";
import type { AnswerPlan } from "./convert_request.ts";
import { pickLogprobs, toTokenLogprob } from "./logprobs.ts";
import { checkNumbers, holdsLongInteger, parseExactly, toPlainNumbers } from "./_large_numbers.ts";
import { isRecord } from "./_request_issues.ts";
import { ThinkTagStripper } from "./think_tags.ts";
import type { ForcedCall } from "./tool_choice.ts";
import type { OllamaChatRecord, OllamaTokenLogprob, OllamaToolCall } from "./wire.ts";

/** What is known about an answer at its end. */
export interface AnswerOutcome {
  /** Tokens taken. */
  readonly usage: PartialUsage;
  /** What goes under `custom_outputs.ollama`. */
  readonly outputs: AnswerOutputs;
  /** Whether it ended for its length although the request set no limit: the window was full, or the Modelfile has one. */
  readonly unexplainedLength: boolean;
}

/** Facts about an answer that OpenAI's format has no place for. Durations are in milliseconds. */
export interface AnswerOutputs {
  total_duration?: number;
  load_duration?: number;
  prompt_eval_duration?: number;
  eval_duration?: number;
  /** Whether the answer was cut short because the window was full. */
  context_full?: true;
  /** Whether the window was shifted, and the begin of the conversation lost by that. */
  context_shifted?: true;
  /** Calls left out, as only one was wanted, or none, or none of these tools. */
  dropped_tool_calls?: number;
  /** Paths of what was given but has no effect. */
  ignored?: readonly string[];
}

/** An answer part that is being put together. */
type MutablePart = { -readonly [Key in keyof AnswerPart]: AnswerPart[Key] };

/**
 * Turns the records of one answer into parts of ours, whether there are many of them or, not streamed, a single one.
 * Synchronous, so that a batch of records costs no waits.
 */
export class AnswerConverter {
  readonly #plan: AnswerPlan;
  readonly #index: number;
  readonly #stripper: ThinkTagStripper | undefined;
  /** The text so far, where it must be looked at as a whole. */
  readonly #texts: string[] = [];
  #callIds: Set<string> | undefined;
  #callCount = 0;
  #droppedCalls = 0;
  #forbiddenCalls = 0;
  #hadText = false;
  #hadThinking = false;
  /** Tokens of records without text, which may belong to the text that follows. */
  #heldLogprobs: OllamaTokenLogprob[] = [];
  #outcome: AnswerOutcome | undefined;

  /**
   * Begins an answer.
   *
   * @param plan What the request asked for.
   * @param index Which of several answers this is. @default {0}
   */
  constructor(plan: AnswerPlan, index = 0) {
    this.#plan = plan;
    this.#index = index;
    if (plan.stripThinking) this.#stripper = new ThinkTagStripper();
  }

  /** What is known at the end; `undefined` before. */
  get outcome(): AnswerOutcome | undefined {
    return this.#outcome;
  }

  /**
   * Takes the next record. After the one that is done, further ones are nothing to us.
   *
   * @param record The record.
   * @returns The part it makes; `undefined` if it has nothing to say. The last part has the finish reason.
   * @throws {UpstreamError} If the answer is not what was asked for.
   */
  push(record: OllamaChatRecord): AnswerPart | undefined {
    if (this.#outcome !== undefined) return undefined;
    const message = record.message;
    const ends = record.done === true || (record.done_reason !== undefined && record.done_reason !== "");
    const raw = message?.content ?? "";
    const thinking = message?.thinking ?? "";
    const calls = message?.tool_calls ?? [];
    if (raw !== "") this.#hadText = true;
    if (thinking !== "") this.#hadThinking = true;

    const content = this.#strip(raw, ends);
    if (this.#plan.forced !== undefined || this.#plan.check !== undefined) this.#texts.push(content);
    const part: MutablePart = this.#index === 0 ? {} : { index: this.#index };
    let empty = true;
    if (thinking !== "") {
      part.reasoning = thinking;
      empty = false;
    }
    if (content !== "" && this.#plan.forced === undefined) {
      part.content = content;
      empty = false;
    }
    if (calls.length > 0) {
      this.#checkArguments(calls, record.done_reason);
      if (this.#takeCalls(calls, part)) empty = false;
    }
    if (this.#plan.logprobs && this.#plan.forced === undefined) {
      const logprobs = this.#takeLogprobs(record.logprobs ?? [], {
        content,
        stripped: content !== raw,
        thought: thinking !== "",
        called: calls.length > 0,
      });
      if (logprobs !== undefined) part.logprobs = { content: logprobs };
    }
    if (ends) this.#end(record, part);
    else if (empty) return undefined;
    return part;
  }

  /**
   * Checks that the answer came to its end.
   *
   * @returns What is known about it.
   * @throws {UpstreamError} If there was no record that is done.
   */
  finish(): AnswerOutcome {
    if (this.#outcome !== undefined) return this.#outcome;
    throw new UpstreamError(
      "Cannot finish the answer: Ollama ended it without saying that it is done. " +
        "Ollama does so when a model repeats itself without end: try again, or raise options.repeat_penalty",
      { code: "upstream_incomplete" },
    );
  }

  #strip(raw: string, ends: boolean): string {
    const stripper = this.#stripper;
    if (stripper === undefined || stripper.done) return raw;
    const text = raw === "" ? "" : stripper.push(raw);
    return ends ? text + stripper.end() : text;
  }

  /** Checks calls where one is demanded. Arguments may be cut off at the token limit, of which the finish reason tells. */
  #checkArguments(calls: readonly OllamaToolCall[], reason: string | undefined): void {
    const { forced, maxCalls } = this.#plan;
    if (forced === undefined) return;
    // Calls that are left out anyway do no harm.
    for (const call of calls.slice(0, maxCalls - this.#callCount)) {
      const check = forced.checks.get(call.function.name);
      if (check === undefined) throw callNotDemanded(call.function.name);
      if (reason !== "length") check(toPlainNumbers(call.function.arguments));
    }
  }

  /** Puts calls into the part; tells whether any of them is handed on. */
  #takeCalls(calls: readonly OllamaToolCall[], part: MutablePart): boolean {
    const parts: ToolCallPart[] = [];
    const { allowed, maxCalls } = this.#plan;
    for (const call of calls) {
      const isForbidden = maxCalls === 0 || allowed?.has(call.function.name) === false;
      if (isForbidden) this.#forbiddenCalls++;
      if (isForbidden || this.#callCount >= maxCalls) {
        this.#droppedCalls++;
        continue;
      }
      this.#callCount++;
      const { name, arguments: input } = call.function;
      checkNumbers(call);
      if (this.#plan.deprecated) {
        part.function_call = { name, arguments: JSON.stringify(input) };
        continue;
      }
      // An id that came before would make two calls into one.
      const callIds = this.#callIds ??= new Set();
      const id = call.id !== undefined && call.id !== "" && !callIds.has(call.id) ? call.id : undefined;
      if (id !== undefined) callIds.add(id);
      const given = holdsLongInteger(input) ? JSON.stringify(input) : input ?? {};
      parts.push({ ...(id !== undefined && { id }), type: "function", function: { name, arguments: given } });
    }
    if (parts.length > 0) part.tool_calls = parts;
    return parts.length > 0 || part.function_call !== undefined;
  }

  #takeLogprobs(
    tokens: readonly OllamaTokenLogprob[],
    around: { content: string; stripped: boolean; thought: boolean; called: boolean },
  ): TokenLogprob[] | undefined {
    const { content, stripped, thought, called } = around;
    if (content === "") {
      if (thought || called || this.#stripper?.stripping) this.#heldLogprobs = [];
      else if (tokens.length > 0) this.#heldLogprobs.push(...tokens);
      return undefined;
    }
    const held = this.#heldLogprobs;
    this.#heldLogprobs = [];
    if (held.length === 0 && tokens.length === 0) return undefined;
    const pure = !thought && !called && !stripped;
    const mixed = this.#hadThinking || this.#callCount > 0;
    const picked = pickLogprobs(held.length === 0 ? tokens : [...held, ...tokens], content, {
      all: pure && (held.length === 0 || !mixed),
      first: called && !thought,
    });
    return picked?.map(toTokenLogprob);
  }

  #end(record: OllamaChatRecord, part: MutablePart): void {
    const reason = record.done_reason;
    if (reason === "load" || reason === "unload") {
      throw new UpstreamError(
        `Cannot get an answer: Ollama has ${reason}ed the model and nothing else, although messages were sent`,
      );
    }
    const finishReason = reason === "length" ? "length" : "stop";
    const { forced } = this.#plan;
    if (forced !== undefined && this.#callCount === 0) this.#endForced(part, { forced, finishReason });
    const isNothingElse = this.#callCount === 0 && !this.#hadText;
    if (this.#forbiddenCalls > 0 && finishReason === "stop" && isNothingElse) throw forbiddenCall(this.#plan);
    if (this.#plan.check !== undefined && finishReason !== "length" && this.#callCount === 0) {
      this.#plan.check(this.#texts.join(""));
    }
    const generated = record.eval_count ?? 0;
    if (
      this.#plan.toolsOffered && finishReason === "stop" && generated > 1 &&
      !this.#hadText && !this.#hadThinking && this.#callCount === 0
    ) throw lostCall(generated);
    part.finish_reason = finishReason;
    this.#outcome = this.#summarise(record, finishReason);
  }

  /** Makes the call of the text, which was constrained to be one. */
  #endForced(
    part: MutablePart,
    { forced, finishReason }: { readonly forced: ForcedCall; readonly finishReason: "stop" | "length" },
  ): void {
    const call = parseCall(this.#texts.join(""), forced);
    // Cut off at the token limit: the finish reason says so, and half a call is of no use to anyone.
    if (call === undefined && finishReason === "length") return;
    if (call === undefined) {
      throw new UpstreamError(
        "Cannot give the tool call that was demanded: the model's answer is no call of one of the tools. " +
          'Try again, use a larger model, or leave the choice to the model with tool_choice "auto"',
        { code: "tool_call_lost" },
      );
    }
    this.#checkArguments([call], finishReason);
    this.#takeCalls([call], part);
  }

  #summarise(record: OllamaChatRecord, finishReason: "stop" | "length"): AnswerOutcome {
    const { numPredict, numCtx } = this.#plan;
    // Ollama leaves out counts that are 0.
    const promptTokens = record.prompt_eval_count ?? 0;
    const completionTokens = record.eval_count ?? 0;
    const cached = record.prompt_eval_cached_count;
    const cutShort = finishReason === "length" && record.eval_count !== undefined;
    const shifted = numCtx !== undefined && promptTokens + completionTokens > roundWindow(numCtx);
    // Assigned one by one: this runs for each answer, and spreading what may be there is slower.
    const outputs: AnswerOutputs = {};
    if (record.total_duration !== undefined) outputs.total_duration = record.total_duration / 1e6;
    if (record.load_duration !== undefined) outputs.load_duration = record.load_duration / 1e6;
    if (record.prompt_eval_duration !== undefined) outputs.prompt_eval_duration = record.prompt_eval_duration / 1e6;
    if (record.eval_duration !== undefined) outputs.eval_duration = record.eval_duration / 1e6;
    if (cutShort && numPredict !== undefined && completionTokens < numPredict) outputs.context_full = true;
    if (shifted) outputs.context_shifted = true;
    if (this.#droppedCalls > 0) outputs.dropped_tool_calls = this.#droppedCalls;
    const usage = { prompt_tokens: promptTokens, completion_tokens: completionTokens };
    return {
      usage: cached === undefined ? usage : { ...usage, prompt_tokens_details: { cached_tokens: cached } },
      outputs,
      unexplainedLength: cutShort && numPredict === undefined,
    };
  }
}

/** llama.cpp, below Ollama since 0.30, rounds windows up to a multiple of this. */
function roundWindow(numCtx: number): number {
  return Math.ceil(numCtx / 256) * 256;
}

function parseCall(text: string, { checks }: ForcedCall): OllamaToolCall | undefined {
  let value: unknown;
  try {
    value = parseExactly(text);
  } catch {
    return undefined; // No call: the caller reports it.
  }
  if (!isRecord(value) || typeof value.name !== "string" || !checks.has(value.name)) return undefined;
  return isRecord(value.arguments) ? { function: { name: value.name, arguments: value.arguments } } : undefined;
}

function callNotDemanded(name: string): UpstreamError {
  return new UpstreamError(
    `Cannot give the tool call that was demanded: the model called ${
      JSON.stringify(name)
    }, which is not one of those ` +
      "that were to be called. Try again, or use a larger model",
    { code: "tool_call_lost" },
  );
}

/** Some models call tools that no one offered, as they know them from the conversation or from their training. */
function forbiddenCall({ allowed }: AnswerPlan): UpstreamError {
  const [forbids, hint] = allowed === undefined
    ? ["the request forbids calls", 'leave the choice to the model with tool_choice "auto"']
    : ["it is not one of those that the request allows", "allow it in tool_choice.allowed_tools"];
  return new UpstreamError(
    `Cannot give the model's answer: it called a tool and said nothing else, although ${forbids}. Try again, or ${hint}`,
    { code: "tool_call_forbidden" },
  );
}

/**
 * Ollama's parser of Go templates drops a call that is malformed, cut or of an unknown tool, and answers with nothing.
 * A truly empty answer takes one token.
 */
function lostCall(generated: number): UpstreamError {
  return new UpstreamError(
    `Cannot give the model's answer: it wrote ${generated} tokens, of which Ollama handed on none. ` +
      "Most likely it called a tool in a malformed way or one that was not offered, which Ollama drops. " +
      'Try again, use a larger model, or demand a call with tool_choice "required"',
    { code: "tool_call_lost" },
  );
}
