import { ValidationError, type ValidationIssue } from "../types/mod.ts";
import { getTrackingUri } from "../tracking/mod.ts";
import { trace } from "./_api.ts";
import { BatchProcessor } from "./_batch_processor.ts";
import { ensureContextManager } from "./_context.ts";
import { ExporterSink } from "./_exporter_sink.ts";
import { type ContentForms, Instrumentation, NO_CONTENT, SCOPE } from "./_instrumentation.ts";
import { MlflowSink } from "./_mlflow_sink.ts";
import { OtlpSink } from "./_otlp_sink.ts";
import { observe } from "./instrument.ts";
import type { Sampler } from "./_sdk_types.ts";
import type { TraceSink } from "./trace_sink.ts";
import type { TracingOptions } from "./tracing_options.ts";

type Sdk = typeof import("./_sdk.ts");

/** Most spans that go at once. */
const BATCH_SIZE = 512;
/** Milliseconds before the second try. */
const RETRY_DELAY = 1_000;
/** Milliseconds that flushing and ending may take, unless told otherwise. */
const END_TIMEOUT = 5_000;

/** Tracing that runs: see {@linkcode enableTracing}. */
export class Tracing implements AsyncDisposable {
  readonly #processor: BatchProcessor;
  readonly #end: () => void;
  #ending: Promise<void> | undefined;

  /**
   * Not for direct use: see {@linkcode enableTracing}.
   *
   * @param processor What brings spans to where they go.
   * @param end Has no more spans be made.
   */
  constructor(processor: BatchProcessor, end: () => void) {
    this.#processor = processor;
    this.#end = end;
  }

  /** Spans that were lost so far: there were too many, or they were refused, or `redact` failed. */
  get dropped(): number {
    return this.#processor.dropped;
  }

  /** Spans that wait to be sent or are under way. */
  get pending(): number {
    return this.#processor.pending;
  }

  /**
   * Sends what waits.
   *
   * @param timeout Milliseconds that it may take. @default {5_000}
   * @returns Whether all was sent; what was not goes on waiting.
   */
  flush(timeout: number = END_TIMEOUT): Promise<boolean> {
    return this.#processor.flush(timeout);
  }

  /**
   * Ends tracing: sends what waits, as far as that can be done in time, and drops the rest, which is counted and said.
   * Models go on as they were.
   *
   * @param timeout Milliseconds that it may take. @default {5_000}
   */
  shutdown(timeout: number = END_TIMEOUT): Promise<void> {
    return this.#ending ??= this.#shutdown(timeout);
  }

  async #shutdown(timeout: number): Promise<void> {
    this.#end();
    await this.#processor.close(timeout);
  }

  /** Ends tracing as {@linkcode Tracing.shutdown} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

/**
 * Has every call of a model traced, and sends the traces to a store, an OTLP endpoint or a console; unless told otherwise,
 * to where runs go: `MLFLOW_TRACKING_URI`, or the database `mlflow.db` in the working directory.
 *
 * Calls never wait for it. Spans are sent in batches; if they cannot be, they wait, up to a number and a size, and it is
 * tried again in growing distances. What is dropped is counted and said. A program that ends by itself sends what waits
 * first; one that is ended must call {@linkcode Tracing.shutdown}.
 *
 * If the program has no provider of OpenTelemetry yet, this one is registered, so that spans of other libraries join.
 *
 * @example Traces in MLflow's database on this machine: `mlflow ui` shows them
 * ```ts
 * import { loadChatModel } from "@chatmodel/chat-model";
 * import { DemoChatModel } from "@chatmodel/chat-model/demo";
 * import { openTrackingStore } from "@chatmodel/chat-model/tracking";
 * import { enableTracing } from "@chatmodel/chat-model/tracing";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const uri = `sqlite:///${folder}/mlflow.db`;
 * {
 *   await using _tracing = await enableTracing({ store: uri });
 *   const model = await loadChatModel(DemoChatModel);
 *   await model.predict({ messages: [{ role: "user", content: "Hi" }] });
 * }
 * {
 *   await using store = openTrackingStore(uri);
 *   const { items: [info] } = await store.searchTraces({ experimentIds: ["0"] });
 *   assertEquals(info?.requestPreview, "Hi");
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @example Traces on a tracking server of MLflow
 * ```ts ignore
 * import { enableTracing } from "@chatmodel/chat-model/tracing";
 *
 * await using tracing = await enableTracing({ store: "http://127.0.0.1:5000", experiment: "assistant" });
 * ```
 *
 * @example A sink of one's own
 * ```ts
 * import { ChatModel, loadChatModel } from "@chatmodel/chat-model";
 * import { enableTracing } from "@chatmodel/chat-model/tracing";
 * import { assertEquals } from "@std/assert";
 *
 * class Greeter extends ChatModel {
 *   override predict() {
 *     return "Hello";
 *   }
 * }
 *
 * const names: string[] = [];
 * const store = {
 *   name: "a list",
 *   write: (spans: readonly { name: string }[]) => Promise.resolve(void names.push(...spans.map(({ name }) => name))),
 * };
 * {
 *   await using _tracing = await enableTracing({ store });
 *   const model = await loadChatModel(Greeter, { name: "greeter" });
 *   await model.predict({ messages: [{ role: "user", content: "Hi" }] });
 * }
 * assertEquals(names, ["chat greeter"]);
 * ```
 *
 * @param options Where traces go, and what is in them.
 * @returns What flushes and ends it.
 * @throws {ValidationError} If the options name more than one destination, or one of them is out of range; all issues are
 * in it.
 * @throws {TrackingError} If a database cannot be opened, or the experiment in it is deleted. Servers are not asked
 * before there are spans.
 */
export async function enableTracing(options: TracingOptions = {}): Promise<Tracing> {
  return await start(withDestination(options));
}

/** Where nothing else is named, traces go where runs go. */
function withDestination(options: TracingOptions): TracingOptions {
  const { store, endpoint, exporter } = options;
  const isNamed = store !== undefined || endpoint !== undefined || exporter !== undefined;
  return isNamed ? options : { ...options, store: getTrackingUri() };
}

async function start(options: TracingOptions): Promise<Tracing> {
  check(options);
  // Only now: the SDK is large, and who traces in another way does not need it.
  const sdk = await import("./_sdk.ts");
  const { store, captureContent = store !== undefined, keepRemoteParents = store === undefined } = options;
  const { redact, onWarning = warn } = options;
  const tags = Object.fromEntries(
    Object.entries(options.tags ?? {}).map(([name, value]) => [`mlflow.traceTag.${name}`, value]),
  );
  const isMlflow = store !== undefined;
  const processor = new BatchProcessor(await sinkOf(options, sdk), {
    maxQueueSpans: options.maxQueueSpans ?? 2048,
    maxQueueBytes: options.maxQueueBytes ?? 67_108_864,
    batchSize: BATCH_SIZE,
    interval: options.interval ?? 1_000,
    timeout: options.timeout ?? 10_000,
    retryDelay: RETRY_DELAY,
    onWarning,
  }, {
    redact,
    keepsRemoteParents: keepRemoteParents,
    ...(isMlflow && {
      added: (span) => ({ ...tags, "mlflow.traceRequestId": `tr-${span.spanContext().traceId}` }),
    }),
  });
  const provider = new sdk.TracerProvider({
    // All of it said here, so that nothing is read from the environment, which may not be allowed.
    sampler: new sdk.ParentBasedSampler({
      root: unlessFull(samplerOf(options, sdk), processor, sdk),
      remoteParentSampled: unlessFull(new sdk.AlwaysOnSampler(), processor, sdk),
    }),
    spanLimits: LIMITS,
    resource: sdk.resourceFromAttributes({
      "service.name": options.serviceName ?? "chatmodel",
      ...(isMlflow ? {} : options.tags),
    }),
    spanProcessors: [processor],
  });
  const admits = () => {
    if (!processor.isFull) return true;
    processor.skip();
    return false;
  };
  ensureContextManager();
  const isGlobal = trace.setGlobalTracerProvider(provider);
  const tracer = provider.getTracer(SCOPE);
  const endObserving = observe(
    new Instrumentation(contentForms(captureContent, isMlflow), { tracer: () => tracer, admits }),
  );
  const onUnload = () => {
    if (processor.pending > 0) onWarning(`Traces are incomplete: ${processor.pending} spans could not be sent in time`);
  };
  globalThis.addEventListener("unload", onUnload);
  return new Tracing(processor, () => {
    globalThis.removeEventListener("unload", onUnload);
    endObserving();
    if (isGlobal) trace.disable();
  });
}

/** Room for all that this package writes; the texts' length is the queue's business. */
const LIMITS = {
  attributeCountLimit: 256,
  attributeValueLengthLimit: Infinity,
  eventCountLimit: 256,
  linkCountLimit: 128,
  attributePerEventCountLimit: 64,
  attributePerLinkCountLimit: 64,
};

/** MLflow reads its own form first; both would be twice the bytes. */
function contentForms(captureContent: boolean, isMlflow: boolean): ContentForms {
  return captureContent ? { mlflow: true, genAi: !isMlflow } : NO_CONTENT;
}

/** Does not even begin a trace for which there is no room: whole traces are left out then, rather than parts of all. */
function unlessFull(sampler: Sampler, processor: BatchProcessor, sdk: Sdk): Sampler {
  return {
    shouldSample(...args) {
      if (!processor.isFull) return sampler.shouldSample(...args);
      processor.skip();
      return { decision: sdk.SamplingDecision.NOT_RECORD };
    },
    toString: () => `UnlessFull{${sampler}}`,
  };
}

function samplerOf({ sampleRatio = 1 }: TracingOptions, sdk: Sdk): Sampler {
  return sampleRatio === 1 ? new sdk.AlwaysOnSampler() : new sdk.TraceIdRatioBasedSampler(sampleRatio);
}

async function sinkOf(options: TracingOptions, sdk: Sdk): Promise<TraceSink> {
  const { store, endpoint, exporter, experiment, runId, headers, timeout = 10_000, onWarning = warn } = options;
  const { ProtobufTraceSerializer: serializer } = sdk;
  if (typeof store === "string") {
    if (isDatabase(store)) return await openDatabase(store, options);
    return new MlflowSink(store, {
      timeout,
      serializer,
      ...(experiment !== undefined && { experiment }),
      ...(runId !== undefined && { runId }),
      ...(headers !== undefined && { headers }),
      onWarning,
    });
  }
  if (store !== undefined) return store;
  if (endpoint !== undefined) return new OtlpSink(new URL(endpoint), { headers, serializer });
  return exporter === "console" || exporter === undefined
    ? new ExporterSink(new sdk.ConsoleSpanExporter(), "the console")
    : new ExporterSink(exporter);
}

/** Not loaded for others: it needs SQLite. */
async function openDatabase(uri: string, options: TracingOptions): Promise<TraceSink> {
  const { StoreSink } = await import("./_store_sink.ts");
  return await StoreSink.open(uri, options);
}

function check(options: TracingOptions): void {
  const issues: ValidationIssue[] = [];
  const add = (path: string, message: string) => issues.push({ path, message });
  const { store, endpoint, exporter, sampleRatio, headers } = options;
  const given = [store, endpoint, exporter].filter((destination) => destination !== undefined).length;
  if (given !== 1) add("", `name one of "store", "endpoint" and "exporter": ${given} are given`);
  if (typeof store === "string" && !isHttp(store) && !isDatabase(store)) {
    add(
      "store",
      "must be sqlite:///mlflow.db or the like, the http(s) address of an MLflow tracking server, or a sink",
    );
  }
  if (headers !== undefined && typeof store === "string" && isDatabase(store)) {
    add("headers", "is for servers: a database takes none");
  }
  if (endpoint !== undefined && !isHttp(endpoint)) add("endpoint", "must be an http(s) address");
  if (sampleRatio !== undefined && !(sampleRatio >= 0 && sampleRatio <= 1)) {
    add("sampleRatio", `must lie between 0 and 1: current value is ${sampleRatio}`);
  }
  for (const name of ["experiment", "runId"] as const) {
    if (options[name] !== undefined && typeof store !== "string") {
      add(name, "is for MLflow's stores: name a database or a tracking server as store");
    }
  }
  for (const name of ["maxQueueSpans", "maxQueueBytes", "interval", "timeout"] as const) {
    const value = options[name];
    const least = name === "interval" ? 0 : 1;
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) {
      add(name, `must be a whole number of at least ${least}: current value is ${value}`);
    }
  }
  if (issues.length > 0) throw new ValidationError("Cannot enable tracing", issues);
}

function isDatabase(text: string): boolean {
  return /^sqlite:/i.test(text);
}

function isHttp(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "http:" || url?.protocol === "https:";
}

function warn(message: string): void {
  // deno-lint-ignore no-console -- what is lost must be said; hand in `onWarning` to have it elsewhere.
  console.warn(message);
}
