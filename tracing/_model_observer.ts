import type {
  CallEnd,
  CallObservation,
  CallObserver,
  CallResult,
  ModelSpan,
  RequestContext,
  StartedCall,
} from "../call_observer.ts";
import type { ChatCompletionChunk, ChatMessage, Usage } from "../types/mod.ts";
import { AnswerCollector, type CollectedAnswer } from "./_answer_collector.ts";
import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from "./_api.ts";
import { parentContext, withCall } from "./_context.ts";
import { defer } from "./_deferred.ts";
import { errorType } from "./_error_type.ts";
import { outputMessages } from "./_gen_ai_messages.ts";
import { authorSpan, type Instrumentation } from "./_instrumentation.ts";
import { toJson } from "./_json.ts";
import { isMeasured, measure } from "./_metrics.ts";
import { type Beginning, kindOf, startAttributes } from "./_request_attributes.ts";

/** Makes a span of each call of a model. */
export class ModelObserver implements CallObserver {
  readonly #instrumentation: Instrumentation;

  constructor(instrumentation: Instrumentation) {
    this.#instrumentation = instrumentation;
  }

  begin(call: StartedCall): CallObservation | undefined {
    try {
      // Not even a span that goes nowhere is made of what there is no room for: in such times there is no time either.
      if (isFirst() && !isMeasured() && !this.#instrumentation.admits()) return undefined;
      return new CallTrace(call, this.#instrumentation);
    } catch (error) {
      warnOfFault(error);
      return undefined;
    }
  }
}

/** Whether no span surrounds the code. */
function isFirst(): boolean {
  return trace.getSpan(context.active()) === undefined;
}

let hasWarned = false;

/** No call may fail because of its trace, whatever the program's SDK does; it is said once. */
function warnOfFault(error: unknown): void {
  if (hasWarned) return;
  hasWarned = true;
  // deno-lint-ignore no-console -- there is no one else to tell: the SDK is not ours.
  console.warn("Traces are incomplete: OpenTelemetry failed:", error);
}

const NO_MESSAGES: readonly ChatMessage[] = [];
const NO_CONTEXT: RequestContext = {};

/** Tokens of a call, and whether they are a guess. */
interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cached: number | undefined;
  readonly isEstimated: boolean;
}

/** The span of one call, open until the reader has all, leaves or gets a failure. */
export class CallTrace implements CallObservation {
  readonly span: ModelSpan;
  readonly runsOnce = true;
  /** Whom the call was passed on to, if it was: told by the client that did it. */
  provider: string | undefined;
  readonly #beginning: Beginning;
  readonly #instrumentation: Instrumentation;
  readonly #span: Span;
  readonly #context: Context;
  readonly #started = performance.now();
  /** What was written down at the beginning, if that could not be put off. */
  readonly #startAttributes: Attributes | undefined;
  #collector: AnswerCollector | undefined;
  #firstChunk: number | undefined;
  #result: CallResult | undefined;

  constructor(call: StartedCall, instrumentation: Instrumentation) {
    this.#instrumentation = instrumentation;
    const kind = kindOf(call);
    const { requestContext = NO_CONTEXT } = call;
    const messages = call.operation === "chat" ? [...call.request.messages] : NO_MESSAGES;
    this.#beginning = { call, kind, requestContext, messages };
    const parent = parentContext(requestContext);
    // The model runs here, whatever it asks elsewhere.
    this.#span = instrumentation.tracer.startSpan(`${kind.verb} ${call.model}`, { kind: SpanKind.INTERNAL }, parent);
    this.span = authorSpan(this.#span);
    this.#context = withCall(trace.setSpan(parent, this.#span), instrumentation, this);
    // Objects of the caller's own may be others by the end of the call; requests to chat are ours.
    const canWait = call.operation === "chat" && instrumentation.defers;
    if (!canWait && this.#span.isRecording()) {
      this.#startAttributes = startAttributes(this.#beginning, instrumentation.content);
      if (!instrumentation.defers) this.#span.setAttributes(this.#startAttributes);
    }
  }

  run<T>(step: () => T): T {
    return context.with(this.#context, step);
  }

  chunks(chunks: readonly ChatCompletionChunk[]): void {
    try {
      this.#collect(chunks);
    } catch (error) {
      warnOfFault(error);
    }
  }

  #collect(chunks: readonly ChatCompletionChunk[]): void {
    let collector = this.#collector;
    if (collector === undefined) {
      const { mlflow, genAi } = this.#instrumentation.content;
      collector = this.#collector = new AnswerCollector((mlflow || genAi) && this.#span.isRecording());
      this.#firstChunk = performance.now() - this.#started;
    }
    for (const chunk of chunks) collector.add(chunk);
  }

  result(result: CallResult): void {
    this.#result = result;
  }

  end(end: CallEnd): void {
    try {
      this.#end(end);
    } catch (error) {
      warnOfFault(error);
    }
  }

  #end(end: CallEnd): void {
    const span = this.#span;
    const outcome = outcomeOf(end);
    const type = end.outcome === "failed" && outcome === "failed"
      ? errorType(end.reason)
      : outcome === "completed"
      ? undefined
      : "cancelled";
    const tokens = this.#tokens(outcome !== "completed");
    this.#measure(type, tokens);
    if (!span.isRecording()) return span.end();
    const { defers } = this.#instrumentation;
    if (defers) {
      const start = this.#startAttributes;
      this.#collector?.settle();
      defer(span, {
        bytes: this.#bytes(),
        attributes: () => ({
          ...(start ?? startAttributes(this.#beginning, this.#instrumentation.content)),
          ...this.#endAttributes(outcome, type, tokens),
        }),
      });
    } else span.setAttributes(this.#endAttributes(outcome, type, tokens));
    if (end.outcome === "failed" && outcome === "failed") this.#fail(end.reason);
    else if (outcome === "completed") span.setStatus({ code: SpanStatusCode.OK });
    span.end();
  }

  #endAttributes(outcome: CallEnd["outcome"], type: string | undefined, tokens: Tokens | undefined): Attributes {
    const provider = this.provider ?? "chatmodel";
    const attributes: Attributes = {
      "chatmodel.outcome": outcome,
      "gen_ai.provider.name": provider,
      "mlflow.llm.provider": provider,
    };
    if (type !== undefined) attributes["error.type"] = type;
    this.#addAnswer(attributes);
    if (tokens !== undefined) addTokens(attributes, tokens);
    return attributes;
  }

  #measure(errorType: string | undefined, tokens: Tokens | undefined): void {
    const { call, kind: { operation } } = this.#beginning;
    if (operation === undefined) return;
    const attributes: Attributes = {
      "gen_ai.operation.name": operation,
      "gen_ai.provider.name": this.provider ?? "chatmodel",
      "gen_ai.request.model": call.model,
    };
    if (errorType !== undefined) attributes["error.type"] = errorType;
    const result = this.#result;
    const model = result === undefined
      ? this.#collector?.envelope?.model
      : result.operation === "invoke"
      ? undefined
      : result.response.model;
    if (model !== undefined) attributes["gen_ai.response.model"] = model;
    measure({
      attributes,
      duration: performance.now() - this.#started,
      timeToFirstChunk: this.#isStream ? this.#firstChunk : undefined,
      inputTokens: tokens?.input,
      outputTokens: call.operation === "chat" ? tokens?.output : undefined,
    });
  }

  /** What is kept until the span goes, about: texts, two bytes a character. */
  #bytes(): number {
    const answer = this.#collector?.length ?? answerLength(this.#result);
    const [first] = this.#beginning.messages;
    if (first === undefined || (!this.#instrumentation.content.mlflow && !this.#instrumentation.content.genAi)) {
      return 0;
    }
    return 2 * (contentLength(this.#beginning.messages) + answer);
  }

  get #isStream(): boolean {
    const { call } = this.#beginning;
    return call.operation === "chat" && call.stream;
  }

  #fail(reason: unknown): void {
    const error = reason instanceof Error ? reason : String(reason);
    this.#span.recordException(error);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: typeof error === "string" ? error : error.message });
  }

  #addAnswer(attributes: Attributes): void {
    const result = this.#result;
    const collector = this.#collector;
    if (result !== undefined) {
      switch (result.operation) {
        case "chat":
          addEnvelope(attributes, result.response);
          attributes["gen_ai.response.finish_reasons"] = result.response.choices.map((choice) => choice.finish_reason);
          this.#addOutput(attributes, result.response);
          break;
        case "embeddings":
          attributes["gen_ai.response.model"] = result.response.model;
          // How many and how long, not the numbers: no one reads them.
          if (this.#instrumentation.content.mlflow) {
            const { data } = result.response;
            const [first] = data;
            const dimensions = Array.isArray(first?.embedding) ? first.embedding.length : undefined;
            attributes["mlflow.spanOutputs"] = toJson({ vectors: data.length, dimensions });
          }
          break;
        case "invoke":
          if (this.#instrumentation.content.mlflow) attributes["mlflow.spanOutputs"] = toJson(result.response);
      }
    } else if (collector !== undefined) {
      attributes["chatmodel.chunks"] = collector.count;
      if (this.#isStream && this.#firstChunk !== undefined) {
        attributes["gen_ai.response.time_to_first_chunk"] = this.#firstChunk / 1000;
      }
      if (collector.envelope !== undefined) addEnvelope(attributes, collector.envelope);
      const { finishReasons } = collector;
      if (finishReasons.length > 0) attributes["gen_ai.response.finish_reasons"] = finishReasons;
      this.#addOutput(attributes, collector.response());
    }
  }

  #addOutput(attributes: Attributes, response: CollectedAnswer | undefined): void {
    if (response === undefined) return;
    const { mlflow, genAi } = this.#instrumentation.content;
    if (mlflow) attributes["mlflow.spanOutputs"] = toJson(response);
    if (genAi) attributes["gen_ai.output.messages"] = outputMessages(response);
  }

  /** The usage as the model told it; what an unfinished answer took is guessed, and marked as that. */
  #tokens(isUnfinished: boolean): Tokens | undefined {
    const usage = this.#usage();
    if (usage !== undefined) {
      const { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: details } = usage;
      return { input, output, cached: details?.cached_tokens, isEstimated: false };
    }
    const collector = this.#collector;
    if (!isUnfinished || collector === undefined || collector.parts === 0) return undefined;
    const input = Math.ceil(textLength(this.#beginning.messages) / 4);
    return { input, output: collector.estimateTokens(), cached: undefined, isEstimated: true };
  }

  #usage(): Usage | undefined {
    const result = this.#result;
    if (result === undefined) return this.#collector?.usage;
    if (result.operation === "chat") return result.response.usage;
    if (result.operation !== "embeddings") return undefined;
    const { prompt_tokens, total_tokens } = result.response.usage;
    // 0 stands for "not counted" there.
    return prompt_tokens === 0 ? undefined : { prompt_tokens, completion_tokens: 0, total_tokens };
  }
}

function addEnvelope(attributes: Attributes, { id, model }: { readonly id: string; readonly model: string }): void {
  attributes["gen_ai.response.id"] = id;
  attributes["gen_ai.response.model"] = model;
}

function addTokens(attributes: Attributes, { input, output, cached, isEstimated }: Tokens): void {
  attributes["gen_ai.usage.input_tokens"] = input;
  attributes["gen_ai.usage.output_tokens"] = output;
  if (cached !== undefined) attributes["gen_ai.usage.cache_read.input_tokens"] = cached;
  if (isEstimated) attributes["chatmodel.usage.estimated"] = true;
  const cache = cached === undefined ? "" : `, "cache_read_input_tokens": ${cached}`;
  attributes["mlflow.chat.tokenUsage"] = `{"input_tokens": ${input}, "output_tokens": ${output}, "total_tokens": ${
    input + output
  }${cache}}`;
}

function answerLength(result: CallResult | undefined): number {
  if (result?.operation !== "chat") return 0;
  return result.response.choices.reduce((sum, { message }) => sum + (message.content?.length ?? 0), 0);
}

/** Characters of messages, images and sound included. */
function contentLength(messages: readonly ChatMessage[]): number {
  let length = 0;
  for (const { content } of messages) {
    if (typeof content === "string") length += content.length;
    else for (const part of content ?? []) length += partLength(part);
  }
  return length;
}

function partLength(part: object): number {
  let length = 0;
  for (const value of Object.values(part)) {
    if (typeof value === "string") length += value.length;
    else if (typeof value === "object" && value !== null) length += partLength(value);
  }
  return length;
}

/** Characters of text. */
function textLength(messages: readonly ChatMessage[]): number {
  let length = 0;
  for (const { content } of messages) {
    if (typeof content === "string") length += content.length;
    else for (const part of content ?? []) if (part.type === "text") length += part.text.length;
  }
  return length;
}

/** The client's leaving is no failure, whichever way the model is told of it. */
function outcomeOf(end: CallEnd): CallEnd["outcome"] {
  if (end.outcome !== "failed") return end.outcome;
  return end.reason instanceof DOMException && end.reason.name === "AbortError" ? "cancelled" : "failed";
}
