import type { Attributes } from "./_api.ts";

/** What is written into a span only when it goes: most that is dropped under load then costs next to nothing. */
export interface Deferred {
  /** Bytes that it holds meanwhile, about. */
  readonly bytes: number;
  /** Makes the attributes. */
  attributes(): Attributes;
}

const deferred = new WeakMap<object, Deferred>();

/** Puts off what is to be written into a span. */
export function defer(span: object, what: Deferred): void {
  deferred.set(span, what);
}

/** What was put off for a span. */
export function deferredOf(span: object): Deferred | undefined {
  return deferred.get(span);
}
