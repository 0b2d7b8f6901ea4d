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
        // The context is entered once: what waits for a promise goes on in the context in which it began to wait, so each
        // step has the next one wait there. Entering it for each step would be several times as dear.
        let open = () => {};
        let result: Promise<IteratorResult<unknown>>;
        const step = () => {
          arm();
          return iterator.next();
        };
        const arm = () => void (result = new Promise<void>((resolve) => open = resolve).then(step));
        call.run(arm);
        return {
          // Never called again before it has answered: see `ChatCompletionStream`.
          next: () => {
            open();
            return result;
          },
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
