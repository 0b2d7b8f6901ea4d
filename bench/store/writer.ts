/**
 * Writes to a store until it has written enough or is killed: `deno run -A writer.ts URI RUN_ID NAME COUNT`. Each write
 * that the store has acknowledged is told on standard output, one number a line.
 */
import { openTrackingStore } from "../../tracking/mod.ts";

const [uri = "", runId = "", name = "", count = "0"] = Deno.args;
const encoder = new TextEncoder();
await using store = openTrackingStore(uri);
for (let i = 0; i < Number(count); i++) {
  await store.logBatch(runId, {
    metrics: [{ key: `${name}.metric`, value: i, timestamp: Date.now(), step: i }],
    params: { [`${name}.param.${i}`]: String(i) },
  });
  // Written at once: what was acknowledged must be known even if the next thing that comes is a kill.
  Deno.stdout.writeSync(encoder.encode(`${i}\n`));
}
