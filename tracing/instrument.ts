import { observeEveryCall } from "../call_observer.ts";
import { ensureContextManager } from "./_context.ts";
import { install, Instrumentation, NO_CONTENT } from "./_instrumentation.ts";
import { ModelObserver } from "./_model_observer.ts";
import { observeUpstreams } from "./_upstream_observer.ts";

/** Options for {@linkcode instrument}. */
export interface InstrumentOptions {
  /**
   * Whether what was said is written into spans: messages, tools, answers, in OpenTelemetry's form and in MLflow's. It
   * then lies wherever the program's spans go. @default {false}
   */
  readonly captureContent?: boolean;
}

/**
 * Has a span made of every call of a model in this process, by the provider that the program has registered with
 * OpenTelemetry's API: any SDK, or Deno's own (`OTEL_DENO=true`). As long as none is registered, nothing is made.
 *
 * @example Usage
 * ```ts
 * import { instrument } from "@chatmodel/chat-model/tracing";
 *
 * const end = instrument();
 * // Models are called, and each call is a span of the program's own provider.
 * end();
 * ```
 *
 * @param options What is written down.
 * @returns Ends it.
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  const { captureContent = false } = options;
  ensureContextManager();
  return observe(new Instrumentation(captureContent ? { mlflow: true, genAi: true } : NO_CONTENT));
}

/** Has one trace every call. */
export function observe(instrumentation: Instrumentation): () => void {
  const uninstall = install(instrumentation);
  const end = observeEveryCall(new ModelObserver(instrumentation));
  const endUpstreams = observeUpstreams();
  return () => {
    end();
    endUpstreams();
    uninstall();
  };
}
