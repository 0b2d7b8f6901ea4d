import type { CallObservation } from "./call_observer.ts";

/** A call that someone observes. */
interface ObservedCall {
  readonly observation: CallObservation | undefined;
  run<T>(step: () => T): T;
}

type Next = () => Promise<IteratorResult<unknown>>;

/**
 * Has each step of a model's stream run in the context of whoever observes the call. Those of a synchronous one are
 * taken several at once, and surrounded by who takes them: see `StreamGuard.run`.
 */
export function runSteps(
  parts: AsyncIterable<unknown> | Iterable<unknown>,
  call: ObservedCall,
): AsyncIterable<unknown> | Iterable<unknown> {
  if (Symbol.asyncIterator in parts) {
    return {
      [Symbol.asyncIterator]() {
        const iterator = parts[Symbol.asyncIterator]();
        return {
          next: call.observation?.runsOnce ? inOneContext(iterator, call) : inEachStep(iterator, call),
          return: () => call.run(() => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined })),
        };
      },
    };
  }
  return {
    [Symbol.iterator]() {
      const iterator = parts[Symbol.iterator]();
      return {
        next: () => iterator.next(),
        return: () => call.run(() => iterator.return?.() ?? { done: true, value: undefined }),
      };
    },
  };
}

function inEachStep(iterator: AsyncIterator<unknown>, call: ObservedCall): Next {
  // One for all steps: this runs for each piece of each stream.
  const step = () => iterator.next();
  return () => call.run(step);
}

/**
 * What waits for a promise goes on in the context in which it began to wait, so each step has the next one wait there.
 * Not to be called again before it has answered, as `ChatCompletionStream` does not.
 */
function inOneContext(iterator: AsyncIterator<unknown>, call: ObservedCall): Next {
  let open = () => {};
  let result: Promise<IteratorResult<unknown>>;
  const step = () => {
    arm();
    return iterator.next();
  };
  const arm = () => void (result = new Promise<void>((resolve) => open = resolve).then(step));
  call.run(arm);
  return () => {
    open();
    return result;
  };
}
