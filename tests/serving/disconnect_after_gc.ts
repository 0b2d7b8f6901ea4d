/**
 * Has clients leave after garbage collections, which make Deno forget the signal that `fetch` was given, and prints how
 * often the upstream's connections were closed. Run by `disconnect_test.ts` with `--v8-flags=--expose-gc`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { collectGarbage, DISCONNECTS, leave, startDisconnect } from "./_disconnects.ts";

const ROUNDS = 5;

for (const [name, disconnect] of Object.entries(DISCONNECTS)) {
  let closed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using stack = await startDisconnect(disconnect);
    try {
      const departure = await leave(disconnect, { stack, beforeLeaving: collectGarbage });
      if (departure.closedByPeer) closed++;
    } catch {
      // Not closed in time: that is what is counted.
    }
  }
  console.log(`${name}: ${closed} of ${ROUNDS} closed`);
}
Deno.exit();
