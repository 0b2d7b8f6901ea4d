import type { TraceSpanInput } from "../tracking/mod.ts";
import type { TracingOptions } from "./tracing_options.ts";

/** What the thread that writes traces into a database is told. */
export type StoreOrder =
  /** Comes first: where to write. */
  | { readonly kind: "open"; readonly uri: string; readonly options: StoreOptions }
  /** Spans of traces, each group with what all traces are to be told of it. */
  | { readonly kind: "write"; readonly groups: readonly SpanGroup[] }
  /** Comes last. */
  | { readonly kind: "close" };

/** Which experiment and run traces belong to. */
export type StoreOptions = Pick<TracingOptions, "experiment" | "runId">;

/** Spans, and metadata of the traces whose first spans are among them. */
export interface SpanGroup {
  readonly metadata: { readonly [name: string]: string };
  readonly spans: TraceSpanInput[];
}

/** What it answers, to each order. */
export type StoreAnswer =
  | { readonly ok: true }
  | {
    readonly ok: false;
    readonly errorCode: string;
    readonly code: string | undefined;
    readonly message: string;
    readonly retryable: boolean;
  };
