// deno-lint-ignore-file no-console -- a command talks to its user
/**
 * Times searching in an embedded store of 10 000 runs and 100 000 metrics, logging and loading a model, beside MLflow's
 * own on the same file: `deno run -A bench/store/speed.ts PYTHON`, a Python that has MLflow.
 */
import { fromFileUrl, join } from "@std/path";
import { loadModel, logModel } from "../../models/mod.ts";
import {
  closeTracking,
  getTrackingStore,
  setExperiment,
  setTrackingUri,
  startRun,
  type TrackingStore,
} from "../../tracking/mod.ts";

const RUNS = 10_000;
const METRICS = 10;
const ROUNDS = 5;

async function fill(store: TrackingStore, experimentId: string): Promise<string> {
  for (let i = 0; i < RUNS; i++) {
    const { info } = await store.createRun({ experimentId, runName: `run-${i}`, startTime: 1_700_000_000_000 + i });
    await store.logBatch(info.runId, {
      metrics: Array.from({ length: METRICS }, (_, step) => ({
        key: "accuracy",
        value: ((i * 7919 + step * 104_729) % 10_007) / 10_007,
        timestamp: 1_700_000_000_000 + step,
        step,
      })),
      params: { model: i % 3 === 0 ? "llama3.2:1b" : "other", index: String(i) },
    });
    if (i % 1000 === 999) console.error(`${i + 1} of ${RUNS} runs`);
  }
  const { info } = await store.createRun({ experimentId, runName: "long" });
  for (let start = 0; start < 10_000; start += 1000) {
    await store.logBatch(info.runId, {
      metrics: Array.from({ length: 1000 }, (_, i) => ({
        key: "loss",
        value: 1 / (start + i + 1),
        timestamp: 1_700_000_000_000 + start + i,
        step: start + i,
      })),
    });
  }
  return info.runId;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function time(action: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    await action();
    times.push(performance.now() - begin);
  }
  return median(times);
}

const [python] = Deno.args;
if (python === undefined) throw new Error("Name a Python that has MLflow: deno run -A bench/store/speed.ts PYTHON");
const folder = await Deno.makeTempDir({ prefix: "store-speed-" });
try {
  Deno.chdir(folder);
  const uri = `sqlite:///${join(folder, "mlflow.db")}`;
  setTrackingUri(uri);
  const store = getTrackingStore();
  const { experimentId } = await setExperiment("speed");
  const runId = await fill(store, experimentId);
  const search = { experimentIds: [experimentId], maxResults: 1000 };
  const filter = "metrics.accuracy > 0.5 and params.model = 'llama3.2:1b' and attributes.run_name LIKE 'run-%'";
  const model = fromFileUrl(new URL("../../examples/hello.ts", import.meta.url));
  let modelUri = "";
  const ours = {
    "a page of 1000 runs": await time(() => store.searchRuns(search)),
    "three conditions, ordered by a metric": await time(() =>
      store.searchRuns({ ...search, filter, orderBy: ["metrics.accuracy DESC"] })
    ),
    "all 10 000 runs": await time(() => store.searchRuns({ ...search, maxResults: 50_000 })),
    "a history of 10 000 points": await time(() => store.getMetricHistory(runId, "loss", { maxResults: 50_000 })),
    "one run": await time(() => store.getRun(runId)),
    "log a model": await time(async () => {
      ({ modelUri } = await startRun(() => logModel({ name: "hello", model })));
    }),
    "load a model": await time(() => loadModel(modelUri)),
  };
  await closeTracking();
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [fromFileUrl(new URL("./speed.py", import.meta.url)), uri, experimentId, runId, String(ROUNDS)],
    env: { MLFLOW_DISABLE_TELEMETRY: "true" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const theirs: { readonly [what: string]: number } = JSON.parse(new TextDecoder().decode(stdout));
  console.log("ms, medians of five        ours     MLflow's   MLflow's / ours");
  for (const [what, own] of Object.entries(ours)) {
    const other = theirs[what] ?? NaN;
    console.log(
      `${what.padEnd(38)} ${own.toFixed(1).padStart(8)} ${other.toFixed(1).padStart(10)} ${
        (other / own).toFixed(1).padStart(8)
      }`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
