/**
 * A storm of clients that leave, each after a garbage collection, which makes Deno forget the signal that `fetch` was
 * given. Prints what became of it. Run by `cancel_storm_test.ts` with `--v8-flags=--expose-gc`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { storm } from "./_storm.ts";

const gc: unknown = Reflect.get(globalThis, "gc");
if (typeof gc !== "function") throw new Error("Run with --v8-flags=--expose-gc");
console.log(JSON.stringify(await storm(7, { beforeLeaving: () => gc() })));
Deno.exit();
