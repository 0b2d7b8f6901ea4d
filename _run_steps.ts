/**
 * Has each step of a model's stream run in the context of whoever observes the call. Those of a synchronous one are
 * taken several at once, and surrounded by who takes them: see `StreamGuard.run`.
 */
export function runSteps(
  parts: AsyncIterable<unknown> | Iterable<unknown>,
  call: { run<T>(step: () => T): T },
): AsyncIterable<unknown> | Iterable<unknown> {
  if (Symbol.asyncIterator in parts) {
    return {
      [Symbol.asyncIterator]() {
        const iterator = parts[Symbol.asyncIterator]();
        // One for all steps: this runs for each piece of each stream.
        const step = () => iterator.next();
        return {
          next: () => call.run(step),
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
