/**
 * A storm of clients that leave, each after a garbage collection, which makes Deno forget the signal that `fetch` was
 * given. Prints what became of it. Run by `cancel_storm_test.ts` with `--v8-flags=--expose-gc`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { storm } from "./_storm.ts";

const gc: unknown = Reflect.get(globalThis, "gc");
if (typeof gc !== "function") throw new Error("Run with --v8-flags=--expose-gc");
// The collections slow all down: with less time, most would leave before the upstream is asked.
console.log(JSON.stringify(await storm(7, { beforeLeaving: () => gc(), latest: 200 })));
Deno.exit();
