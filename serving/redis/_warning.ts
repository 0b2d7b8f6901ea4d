/** Where warnings go that nobody takes. */
export function logWarning(message: string): void {
  // deno-lint-ignore no-console -- a server's log; hand in `onWarning` to have it elsewhere.
  console.warn(message);
}
