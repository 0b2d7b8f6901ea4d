/**
 * How long it takes from a client's leaving to the closing of the upstream's connection, at every moment at which a
 * client can leave: `deno run -A bench/disconnect.ts`, and with garbage collections between the headers and the
 * leaving `deno run -A --v8-flags=--expose-gc bench/disconnect.ts`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { collectGarbage, DISCONNECTS, leave, startDisconnect } from "../tests/serving/_disconnects.ts";

const ROUNDS = 20;
/** Milliseconds that are promised. */
const LIMIT = 250;
const collects = "gc" in globalThis;

console.log(`Milliseconds to the closing, ${ROUNDS} runs each, ${collects ? "after" : "without"} garbage collections`);
console.log("   min median    max");
let worst = 0;
for (const [name, disconnect] of Object.entries(DISCONNECTS)) {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using stack = await startDisconnect(disconnect);
    const { milliseconds } = await leave(disconnect, { stack, ...(collects && { beforeLeaving: collectGarbage }) });
    times.push(milliseconds);
  }
  times.sort((a, b) => a - b);
  worst = Math.max(worst, ...times);
  const shown = [0, ROUNDS >> 1, ROUNDS - 1].map((rank) => (times[rank] ?? NaN).toFixed(1).padStart(6));
  console.log(`${shown.join(" ")}  ${name}`);
}
if (worst > LIMIT) console.log(`Missed: more than ${LIMIT} ms`);
Deno.exit(worst > LIMIT ? 1 : 0);
