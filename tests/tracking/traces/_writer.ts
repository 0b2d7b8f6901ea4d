/**
 * A process that logs spans to a database until it has done so often enough, or is killed: a trace of its own for each
 * step, and one that it shares with all others. It tells each step whose spans have been acknowledged.
 *
 * @module
 */
import { SqliteStore } from "../../../tracking/sqlite/sqlite_store.ts";

const [uri = "", name = "", count = "0"] = Deno.args;
/** The trace that all processes write to. */
const SHARED = "f".repeat(32);
const START = 1_795_000_000_000_000_000n;

const store = SqliteStore.open(uri);
for (let step = 0; step < Number(count); step++) {
  const id = `${name}${String(step).padStart(8, "0")}`.padStart(16, "1");
  const times = { startTime: START, endTime: START + BigInt(step + 1) * 1_000_000n };
  const attributes = { "mlflow.chat.tokenUsage": { input_tokens: 1, output_tokens: 1, total_tokens: 2 } };
  await store.logSpans("0", [
    { traceId: id.padStart(32, "a"), spanId: id, name: "own", ...times, attributes },
    { traceId: SHARED, spanId: id, parentId: "e".repeat(16), name: "shared", ...times, attributes },
  ]);
  Deno.stdout.writeSync(new TextEncoder().encode(`${id}\n`));
}
await store[Symbol.asyncDispose]();
