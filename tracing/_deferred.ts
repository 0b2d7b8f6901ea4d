import type { Attributes } from "./_api.ts";

/** What is written into a span only when it goes: most that is dropped under load then costs next to nothing. */
export interface Deferred {
  /** Bytes that it holds meanwhile, about. */
  readonly bytes: number;
  /** Makes the attributes. */
  attributes(): Attributes;
}

/** On the span itself: weak maps of many entries make collecting garbage dear. */
const DEFERRED = Symbol("deferred");

interface Deferring {
  [DEFERRED]?: Deferred;
}

/** Puts off what is to be written into a span. */
export function defer(span: object & Deferring, what: Deferred): void {
  span[DEFERRED] = what;
}

/** What was put off for a span. */
export function deferredOf(span: object & Deferring): Deferred | undefined {
  return span[DEFERRED];
}
