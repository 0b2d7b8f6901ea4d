/**
 * What requests see of a model that is replaced while it is served: an alias of the embedded store moves to and fro
 * under load of plain and streamed requests, for some seconds. Ends with exit code 1 if a request fails, or if an answer
 * is of two versions: `deno run -A bench/swap.ts [SECONDS] [CLIENTS]`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { join } from "@std/path";
import { answerNow, answerOf, registered, serveWatched, source } from "../tests/serving/watch/_watch.ts";

const [seconds = 10, clients = 16] = Deno.args.map(Number);
const VERSIONS = ["one", "two", "three"];
const whole = new Set(VERSIONS.map(answerOf));

await using registry = await registered();
Deno.env.set("CHATMODEL_CACHE", join(registry.author.path, "cache"));
for (const version of VERSIONS) await registry.add(source(version));
await registry.point("1");
await using server = await serveWatched("models:/assistant@live", { interval: 100 });

const end = performance.now() + seconds * 1000;
const times: number[] = [];
const failures: unknown[] = [];
let stale = 0;
const load = Array.from({ length: clients }, async (_, client) => {
  for (let turn = client; performance.now() < end; turn++) {
    const begun = performance.now();
    try {
      const answer = await answerNow(server, turn % 2 === 0);
      if (!whole.has(answer)) failures.push(new Error(`An answer is of two versions: ${answer}`));
    } catch (error) {
      failures.push(error);
    }
    times.push(performance.now() - begun);
  }
});
let current = 1;
let swaps = 0;
const moves: number[] = [];
while (performance.now() < end - 1000) {
  const next = current % VERSIONS.length + 1;
  const heard = server.told().filter((line) => line === `swapped ${current} ${next}`).length;
  const begun = performance.now();
  await registry.point(String(next));
  await server.heard(`swapped ${current} ${next}`, heard + 1);
  moves.push(performance.now() - begun);
  // Who begins now is answered by the new version.
  if (await answerNow(server) !== answerOf(VERSIONS[next - 1] ?? "")) stale++;
  current = next;
  swaps++;
}
await Promise.all(load);

const loads = server.events.flatMap((event) => event.kind === "swapped" ? [event.loadTime] : []);
const aborted = server.events.reduce((sum, event) => sum + (event.kind === "drained" ? event.aborted : 0), 0);
console.log(`${times.length} requests of ${clients} clients in ${seconds} s, half of them streams; ${swaps} swaps`);
console.log(`failures: ${failures.length}; calls ended: ${aborted}; answers of an old version after a swap: ${stale}`);
console.log(`a request: ${shown(times)}`);
console.log(`loading a version: ${shown(loads)}`);
console.log(`from moving the alias (looked at every 100 ms) to the swap: ${shown(moves)}`);
for (const failure of failures.slice(0, 3)) console.error(failure);
if (failures.length + aborted + stale > 0 || swaps < 5) Deno.exitCode = 1;

/** Median, 99th percentile and maximum of milliseconds. */
function shown(values: number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(1);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
