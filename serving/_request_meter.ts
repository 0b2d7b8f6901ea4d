/** Measures what becomes of one request. */
import type { CallEnd, CallObservation, CallObserver, CallResult, StartedCall } from "../call_observer.ts";
import type { ChatCompletionChunk, ChatModelError, Usage } from "../types/mod.ts";
import { estimatePromptTokens, estimateTextTokens } from "./limits/mod.ts";
import { errorStatus } from "./_respond.ts";
import type { RequestRecord, TokenCounts } from "./request_record.ts";

/** What a request is known by. */
export interface MeteredRequest {
  readonly requestId: string;
  readonly keyName: string | undefined;
  readonly hasLeft: boolean;
}

/** Hears of all calls that are made for a request, of which there may be several. */
export class RequestMeter implements CallObserver {
  readonly method: string;
  /** The route, as in the app's list of them. */
  route: string | undefined;
  /** HTTP status of the answer. */
  status = 500;
  /** Whether the reader of an answer left. */
  isCancelled = false;
  readonly #startedAt = performance.now();
  /** Name of the model that was asked. */
  model: string | undefined;
  isStream = false;
  /** When the model gave something. */
  firstTokenAt: number | undefined;
  errorCode: string | undefined;
  errorStatus: number | undefined;
  /** Whether a model was asked. */
  hasAsked = false;
  /** Whether a model has given anything. */
  hasAnswered = false;
  #tokens: TokenCounts | undefined;

  begin(call: StartedCall): CallObservation {
    this.hasAsked = true;
    this.model ??= call.model;
    if (call.operation === "chat" && call.stream) this.isStream = true;
    return new MeteredCall(this, call);
  }

  /** Tokens so far; `undefined` if no model has given anything. */
  get tokens(): TokenCounts | undefined {
    return this.#tokens;
  }

  /**
   * Begins to measure.
   *
   * @param method The request's HTTP method.
   */
  constructor(method: string) {
    this.method = method;
  }

  /** Counts what a call has taken. */
  add({ promptTokens, completionTokens, estimated }: TokenCounts): void {
    const before = this.#tokens;
    this.#tokens = {
      promptTokens: promptTokens + (before?.promptTokens ?? 0),
      completionTokens: completionTokens + (before?.completionTokens ?? 0),
      estimated: estimated || (before?.estimated ?? false),
    };
  }

  /** What there is to say now that the request is over. */
  record({ requestId, keyName, hasLeft }: MeteredRequest): RequestRecord {
    const { method, route, status, model, isStream: stream, firstTokenAt, errorCode, errorStatus, tokens } = this;
    const isCancelled = hasLeft || this.isCancelled;
    return {
      requestId,
      method,
      ...(route !== undefined && { route }),
      status,
      outcome: isCancelled ? "cancelled" : (errorStatus ?? status) >= 500 ? "failed" : "completed",
      ...(errorCode !== undefined && { errorCode }),
      ...(errorStatus !== undefined && { errorStatus }),
      ...(model !== undefined && { model }),
      asked: this.hasAsked,
      ...(keyName !== undefined && { keyName }),
      stream,
      ...(stream && firstTokenAt !== undefined && { timeToFirstToken: firstTokenAt - this.#startedAt }),
      duration: performance.now() - this.#startedAt,
      ...(tokens !== undefined && { tokens }),
    };
  }

  /** Takes note of what went wrong. */
  fail(error: ChatModelError): void {
    this.errorCode = error.code ?? error.type;
    this.errorStatus = errorStatus(error);
  }
}

class MeteredCall implements CallObservation {
  readonly #meter: RequestMeter;
  readonly #call: StartedCall;
  #usage: Pick<Usage, "prompt_tokens" | "completion_tokens"> | undefined;
  /** Tokens of the answer so far, where no one has counted them: a piece has one at least. */
  #estimate = 0;
  #hasGiven = false;

  constructor(meter: RequestMeter, call: StartedCall) {
    this.#meter = meter;
    this.#call = call;
  }

  chunks(chunks: readonly ChatCompletionChunk[]): void {
    this.#hasGiven = true;
    this.#meter.firstTokenAt ??= performance.now();
    for (const { choices, usage } of chunks) {
      if (usage != null) this.#usage = usage;
      for (const { delta } of choices) {
        this.#count(delta.content);
        this.#count(delta.reasoning);
        for (const call of delta.tool_calls ?? []) this.#count(call.function?.arguments);
      }
    }
  }

  result(result: CallResult): void {
    this.#hasGiven = true;
    if (result.operation === "chat") {
      this.#usage = result.response.usage ?? undefined;
      for (const { message } of result.response.choices) this.#count(message.content);
    } else if (result.operation === "embeddings") {
      this.#usage = { prompt_tokens: result.response.usage.prompt_tokens, completion_tokens: 0 };
    }
  }

  #count(text: string | null | undefined): void {
    if (text != null) this.#estimate += estimateTextTokens([text]);
  }

  end({ outcome }: CallEnd): void {
    if (outcome === "cancelled") this.#meter.isCancelled = true;
    // What failed before it gave anything is taken to have cost nothing.
    if (!this.#hasGiven) return;
    this.#meter.hasAnswered = true;
    const usage = this.#usage;
    if (usage !== undefined) {
      const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage;
      return this.#meter.add({ promptTokens, completionTokens, estimated: false });
    }
    if (this.#call.operation === "invoke") return;
    const promptTokens = this.#call.operation === "chat" ? estimatePromptTokens(this.#call.request) : 0;
    this.#meter.add({ promptTokens, completionTokens: this.#estimate, estimated: true });
  }
}
