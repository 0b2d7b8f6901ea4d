/**
 * A storm of clients that leave, half of them after garbage collections, which make Deno forget the signal that `fetch`
 * was given. Prints what became of it. Run by `cancel_storm_test.ts` with `--v8-flags=--expose-gc`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { collectGarbage } from "./_disconnects.ts";
import { storm } from "./_storm.ts";

// Only halfway, as a later collection would close what an earlier one made Deno forget.
console.log(JSON.stringify(await storm(7, { halfway: collectGarbage, latest: 150 })));
Deno.exit();
