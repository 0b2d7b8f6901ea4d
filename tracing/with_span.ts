import type { JsonValue } from "../model_config.ts";
import type { ModelSpan } from "../call_observer.ts";
import { type Attributes, context, type Span, SpanKind, SpanStatusCode, trace as api } from "./_api.ts";
import { activeCall } from "./_context.ts";
import { errorType } from "./_error_type.ts";
import { authorSpan, type ContentForms, lastInstalled, toAttributes } from "./_instrumentation.ts";
import { toJson } from "./_json.ts";

/** Kinds of steps, as MLflow knows them. */
export type SpanType =
  | "AGENT"
  | "CHAIN"
  | "CHAT_MODEL"
  | "EMBEDDING"
  | "EVALUATOR"
  | "GUARDRAIL"
  | "LLM"
  | "MEMORY"
  | "PARSER"
  | "RERANKER"
  | "RETRIEVER"
  | "TASK"
  | "TOOL"
  | "UNKNOWN"
  | "WORKFLOW";

/** Options for {@linkcode withSpan}. */
export interface SpanOptions {
  /** What kind of step it is. @default {"UNKNOWN"} */
  readonly type?: SpanType;
  /** What is known of it. Lists and objects are written as JSON. @default {{}} */
  readonly attributes?: { readonly [name: string]: JsonValue };
  /** What goes into the step, written down where what is said is captured. Default: nothing. */
  readonly inputs?: unknown;
}

/** Options for {@linkcode trace}. */
export interface TraceOptions extends Pick<SpanOptions, "type" | "attributes"> {
  /** Name of the span. Default: that of the function. */
  readonly name?: string;
}

/**
 * Runs a step in a span of its own, below the span of the call or step that it belongs to. Where no one traces, it just
 * runs the step.
 *
 * The span is open until the step has returned; until its promise is settled, or its generator is read to the end or
 * left. What the step gives is written down as the outputs, where what is said is captured.
 *
 * @example A tool
 * ```ts
 * import { withSpan } from "@chatmodel/chat-model/tracing";
 * import { assertEquals } from "@std/assert";
 *
 * const inputs = { city: "Bern" };
 * const weather = await withSpan("weather", { type: "TOOL", inputs }, async (span) => {
 *   span.setAttribute("cache.hit", false);
 *   return await Promise.resolve("sunny");
 * });
 * assertEquals(weather, "sunny");
 * ```
 *
 * @typeParam T What the step gives.
 * @param name Name of the span.
 * @param options What is known of it.
 * @param step The step. It gets the span.
 * @returns What the step gives.
 * @throws What the step throws; it is written down.
 */
export function withSpan<T>(name: string, options: SpanOptions, step: (span: ModelSpan) => T): T {
  const { type = "UNKNOWN", attributes = {}, inputs } = options;
  const { content, tracer } = activeCall()?.instrumentation ?? lastInstalled();
  const parent = context.active();
  const span = tracer.startSpan(name, {
    kind: SpanKind.INTERNAL,
    attributes: { ...startAttributes(name, type, content, inputs), ...toAttributes(attributes) },
  }, parent);
  const own = api.setSpan(parent, span);
  const end = (outputs: unknown) => {
    if (span.isRecording() && outputs !== undefined) span.setAttributes(outputAttributes(type, content, outputs));
    span.setStatus({ code: SpanStatusCode.OK });
    span.end();
  };
  let result: T;
  try {
    result = context.with(own, () => step(authorSpan(span)));
  } catch (error) {
    fail(span, error);
    throw error;
  }
  return watch(result, { span, end, run: (next) => context.with(own, next) });
}

/**
 * Makes a function of which each call is a span: {@linkcode withSpan} for functions. What it is called with is written
 * down as the inputs, where what is said is captured: the argument, or the list of several.
 *
 * @example Usage
 * ```ts
 * import { trace } from "@chatmodel/chat-model/tracing";
 * import { assertEquals } from "@std/assert";
 *
 * const search = trace(async function search(question: string) {
 *   return await Promise.resolve([`About ${question}`]);
 * }, { type: "RETRIEVER" });
 * assertEquals(await search("bears"), ["About bears"]);
 * ```
 *
 * @typeParam A The function's arguments.
 * @typeParam T What it gives.
 * @param step The function.
 * @param options Name and kind of the span.
 * @returns The function that does the same, traced.
 */
export function trace<A extends unknown[], T>(
  step: (...args: A) => T,
  options: TraceOptions = {},
): (...args: A) => T {
  const { name = step.name || "anonymous", ...others } = options;
  return function (this: unknown, ...args: A): T {
    const inputs: unknown = args.length === 1 ? args[0] : args;
    return withSpan(name, { ...others, inputs }, () => step.apply(this, args));
  };
}

/** A span that is open, and how its steps are run. */
interface Open {
  readonly span: Span;
  readonly end: (outputs: unknown) => void;
  readonly run: <T>(step: () => T) => T;
}

/** Ends the span when the result is complete. Only generators are followed: other objects are results themselves. */
function watch<T>(result: T, { span, end, run }: Open): T {
  if (result instanceof Promise) {
    result.then(end, (error) => fail(span, error));
    return result;
  }
  if (!isGenerator(result)) {
    end(result);
    return result;
  }
  follow(result, { span, end, run });
  return result;
}

type AnyGenerator = Generator<unknown, unknown> | AsyncGenerator<unknown, unknown>;

function isGenerator(value: unknown): value is AnyGenerator {
  return typeof value === "object" && value !== null && "next" in value && "throw" in value &&
    (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** Items of a generator that are written down at most. */
const MAX_ITEMS = 1000;

/** Has a generator tell of its end. Its own methods are put before those of its kind, so that it stays what it is. */
function follow(generator: AnyGenerator, { span, end, run }: Open): void {
  const items: unknown[] = [];
  let isOpen = true;
  const take = (result: IteratorResult<unknown, unknown>): void => {
    if (!isOpen) return;
    if (!result.done) {
      if (items.length < MAX_ITEMS) items.push(result.value);
      return;
    }
    isOpen = false;
    end(items);
  };
  const lose = (error: unknown): void => {
    if (isOpen) fail(span, error);
    isOpen = false;
  };
  const wrap = (step: (value: unknown) => unknown) => (value: unknown): unknown => {
    let result: unknown;
    try {
      result = run(() => step(value));
    } catch (error) {
      lose(error);
      throw error;
    }
    if (result instanceof Promise) result.then(take, lose);
    else if (isResult(result)) take(result);
    return result;
  };
  for (const name of ["next", "return", "throw"] as const) {
    const method: (value: unknown) => unknown = generator[name].bind(generator);
    Object.defineProperty(generator, name, { value: wrap(method), configurable: true, writable: true });
  }
}

function isResult(value: unknown): value is IteratorResult<unknown, unknown> {
  return typeof value === "object" && value !== null && "done" in value;
}

/** Writes down a failure, and ends the span. */
export function fail(span: Span, reason: unknown): void {
  const error = reason instanceof Error ? reason : String(reason);
  const isCancelled = reason instanceof DOMException && reason.name === "AbortError";
  span.setAttribute("error.type", isCancelled ? "cancelled" : errorType(reason));
  if (!isCancelled) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: typeof error === "string" ? error : error.message });
  }
  span.end();
}

function startAttributes(name: string, type: SpanType, content: ContentForms, inputs: unknown): Attributes {
  const attributes: Attributes = {
    "mlflow.spanType": type,
    "mlflow.spanLogLevel": type === "UNKNOWN" ? 10 : 20,
  };
  if (type === "TOOL") {
    attributes["gen_ai.operation.name"] = "execute_tool";
    attributes["gen_ai.tool.name"] = name;
  }
  if (inputs === undefined) return attributes;
  if (content.mlflow) attributes["mlflow.spanInputs"] = toJson(inputs);
  if (content.genAi && type === "TOOL") attributes["gen_ai.tool.call.arguments"] = toJson(inputs);
  return attributes;
}

function outputAttributes(type: SpanType, content: ContentForms, outputs: unknown): Attributes {
  const attributes: Attributes = {};
  if (content.mlflow) attributes["mlflow.spanOutputs"] = toJson(outputs);
  if (content.genAi && type === "TOOL") attributes["gen_ai.tool.call.result"] = toJson(outputs);
  return attributes;
}
