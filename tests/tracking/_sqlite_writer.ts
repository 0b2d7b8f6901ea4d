/**
 * A process that writes to a database until it has done so often enough, or is killed. It tells each run, and each step
 * whose write has been acknowledged, in a line of its own.
 *
 * @module
 */
import { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";

const [uri = "", count = "0"] = Deno.args;
const encoder = new TextEncoder();

function tell(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

const store = SqliteStore.open(uri);
const { info } = await store.createRun({ experimentId: "0" });
tell(info.runId);
for (let step = 0; step < Number(count); step++) {
  await store.logBatch(info.runId, {
    metrics: [{ key: "step", value: step, timestamp: step, step }],
    params: { [`param${step % 90}`]: "x" },
  });
  tell(String(step));
}
await store[Symbol.asyncDispose]();
