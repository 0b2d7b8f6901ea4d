import type { Tags } from "./entities.ts";
import { LIMITS } from "./limits.ts";
import { textOf } from "./_span_translation.ts";
import { TRACE_KEYS, TRACE_TAG_PREFIX } from "./_trace_keys.ts";
import { MAX_METADATA_LENGTH } from "./_trace_checks.ts";
import { type CheckedSpan, parseAttribute } from "./_trace_spans.ts";
import type { LogSpansOptions } from "./trace_store.ts";

/** What spans of one trace say of it. */
export interface TraceFacts {
  readonly spans: readonly CheckedSpan[];
  /** The first one of the trace, where it is among them. */
  readonly root: CheckedSpan | undefined;
  /** Earliest start, in ms since 1970. */
  readonly start: number;
  /** Latest end, in ms since 1970. */
  readonly end: number | undefined;
  readonly session: string | undefined;
  readonly user: string | undefined;
  readonly tags: Tags;
  readonly metadata: Tags;
}

/**
 * What spans say of their traces.
 *
 * @param spans Spans of any number of traces.
 * @param options What is said of the traces besides.
 * @returns The facts, by the ids of the traces.
 */
export function factsOfSpans(spans: readonly CheckedSpan[], options: LogSpansOptions): Map<string, TraceFacts> {
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId);
  return new Map(Array.from(byTrace, ([traceId, group]) => [traceId, factsOf(latestOf(group), options)]));
}

/** Of a span that is there more than once, the last one. */
function latestOf(spans: readonly CheckedSpan[]): CheckedSpan[] {
  return [...new Map(spans.map((span) => [span.spanId, span])).values()];
}

function factsOf(spans: readonly CheckedSpan[], options: LogSpansOptions): TraceFacts {
  const root = spans.find(({ parentId }) => parentId === undefined);
  let [start, end]: [bigint | undefined, bigint | undefined] = [undefined, undefined];
  for (const span of spans) {
    if (start === undefined || span.startTime < start) start = span.startTime;
    if (span.endTime !== undefined && (end === undefined || span.endTime > end)) end = span.endTime;
  }
  return {
    spans,
    root,
    start: toMs(start ?? 0n),
    end: end === undefined ? undefined : toMs(end),
    session: firstText(spans, ["session.id", "gen_ai.conversation.id"]),
    user: firstText(spans, ["user.id"]),
    tags: root === undefined ? {} : { ...options.tags, ...tagsOf(root) },
    metadata: root === undefined ? {} : metadataOf(root, options),
  };
}

function firstText(spans: readonly CheckedSpan[], keys: readonly string[]): string | undefined {
  for (const { attributes } of spans) {
    for (const key of keys) {
      const text = textOf(attributes[key]);
      // What is too long for MLflow's column stays in the span alone: cut, it would be another one's.
      if (text !== undefined && text !== "" && text.length <= MAX_METADATA_LENGTH) return text;
    }
  }
  return undefined;
}

function tagsOf({ attributes }: CheckedSpan): Tags {
  const tags: { [key: string]: string } = {};
  for (const [name, text] of Object.entries(attributes)) {
    if (!name.startsWith(TRACE_TAG_PREFIX)) continue;
    const key = name.slice(TRACE_TAG_PREFIX.length);
    const value = parseAttribute(text);
    const tag = typeof value === "string" ? value : text;
    if (key !== "" && key.length <= LIMITS.key && tag.length <= LIMITS.tagValue) tags[key] = tag;
  }
  return tags;
}

function metadataOf({ attributes }: CheckedSpan, options: LogSpansOptions): Tags {
  const run = options.runId ?? textOf(attributes[TRACE_KEYS.sourceRun]);
  const model = options.modelId ?? textOf(attributes[TRACE_KEYS.modelId]);
  return {
    ...options.metadata,
    ...(run && { [TRACE_KEYS.sourceRun]: run }),
    ...(model && { [TRACE_KEYS.modelId]: model }),
  };
}

function toMs(time: bigint): number {
  return Number(time / 1_000_000n);
}
