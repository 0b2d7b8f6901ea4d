/** Measures what becomes of one request. */
import type { CallEnd, CallObservation, CallObserver, CallResult, StartedCall } from "../call_observer.ts";
import type { ChatCompletionChunk, ChatModelError, ToolCallDelta, Usage } from "../types/mod.ts";
import { estimatePieceTokens, estimatePromptTokens } from "./limits/mod.ts";
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
  /** Tokens of all calls so far; `undefined` if no model has given anything. */
  tokens: TokenCounts | undefined;

  begin(call: StartedCall): CallObservation {
    this.hasAsked = true;
    this.model ??= call.model;
    if (call.operation === "chat" && call.stream) this.isStream = true;
    return new MeteredCall(this, call);
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
  add(counts: TokenCounts): void {
    const before = this.tokens;
    this.tokens = before === undefined ? counts : {
      promptTokens: before.promptTokens + counts.promptTokens,
      completionTokens: before.completionTokens + counts.completionTokens,
      estimated: before.estimated || counts.estimated,
    };
  }

  /** What there is to say now that the request is over. */
  record({ requestId, keyName, hasLeft }: MeteredRequest): RequestRecord {
    const { route, status, model, firstTokenAt, errorCode, errorStatus, tokens } = this;
    const isCancelled = hasLeft || this.isCancelled;
    const record: Writable<RequestRecord> = {
      requestId,
      method: this.method,
      status,
      outcome: isCancelled ? "cancelled" : (errorStatus ?? status) >= 500 ? "failed" : "completed",
      asked: this.hasAsked,
      stream: this.isStream,
      duration: performance.now() - this.#startedAt,
    };
    // One by one, as every request pays for it: to spread what may be absent takes several times as long.
    if (route !== undefined) record.route = route;
    if (errorCode !== undefined) record.errorCode = errorCode;
    if (errorStatus !== undefined) record.errorStatus = errorStatus;
    if (model !== undefined) record.model = model;
    if (keyName !== undefined) record.keyName = keyName;
    if (this.isStream && firstTokenAt !== undefined) record.timeToFirstToken = firstTokenAt - this.#startedAt;
    if (tokens !== undefined) record.tokens = tokens;
    return record;
  }

  /** Takes note of what went wrong. */
  fail(error: ChatModelError): void {
    this.errorCode = error.code ?? error.type;
    this.errorStatus = errorStatus(error);
  }
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

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
    if (!this.#hasGiven) {
      this.#hasGiven = true;
      this.#meter.firstTokenAt ??= performance.now();
    }
    for (const { choices, usage } of chunks) {
      if (usage != null) this.#usage = usage;
      for (const { delta: { content, reasoning, tool_calls: calls } } of choices) {
        if (content != null) this.#estimate += estimatePieceTokens(content);
        if (reasoning != null) this.#estimate += estimatePieceTokens(reasoning);
        if (calls != null) this.#countCalls(calls);
      }
    }
  }

  #countCalls(calls: readonly ToolCallDelta[]): void {
    for (const call of calls) {
      const text = call.function?.arguments;
      if (text != null) this.#estimate += estimatePieceTokens(text);
    }
  }

  result(result: CallResult): void {
    this.#hasGiven = true;
    if (result.operation === "chat") {
      const { usage, choices } = result.response;
      // Nothing to estimate where the model has counted.
      if (usage != null) return void (this.#usage = usage);
      for (const { message: { content } } of choices) {
        if (content != null) this.#estimate += estimatePieceTokens(content);
      }
    } else if (result.operation === "embeddings") {
      this.#usage = { prompt_tokens: result.response.usage.prompt_tokens, completion_tokens: 0 };
    }
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
