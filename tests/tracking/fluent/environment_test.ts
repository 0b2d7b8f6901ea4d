import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { setExperiment, startRun } from "../../../tracking/fluent/mod.ts";
import { newTracking, runProgram } from "./support.ts";

/** Starts a run and says where it went. */
const PROGRAM = `
const { info } = await mlflow.startRun(async (run) => run);
console.log(JSON.stringify({ uri: mlflow.getTrackingUri(), id: info.experimentId, run: info.runId, user: info.userId }));
`;

Deno.test("The default is MLflow's: mlflow.db in the working directory, and the default experiment", async () => {
  await using tracking = await newTracking();
  const result = await runProgram(PROGRAM, { folder: tracking.folder });
  assertEquals(result.code, 0, result.stderr);
  const { uri, id, run } = JSON.parse(result.stdout);
  assertEquals([uri, id], ["sqlite:///mlflow.db", "0"]);
  assertEquals((await tracking.store.getRun(run)).info.status, "FINISHED");
});

Deno.test("MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME and LOGNAME decide where runs go, and whose they are", async () => {
  await using tracking = await newTracking();
  const env = {
    MLFLOW_TRACKING_URI: `sqlite:///${tracking.folder}/other.db`,
    MLFLOW_EXPERIMENT_NAME: "by name",
    LOGNAME: "someone",
  };
  const first = JSON.parse((await runProgram(PROGRAM, { folder: tracking.folder, env })).stdout);
  assertEquals([first.uri, first.user], [env.MLFLOW_TRACKING_URI, "someone"]);
  assert(first.id !== "0");
  // The experiment is found the second time; by its id as well, also by both.
  const { MLFLOW_EXPERIMENT_NAME: _, ...withoutName } = env;
  for (
    const variables of [env, { ...withoutName, MLFLOW_EXPERIMENT_ID: first.id }, {
      ...env,
      MLFLOW_EXPERIMENT_ID: first.id,
    }]
  ) {
    const next = JSON.parse((await runProgram(PROGRAM, { folder: tracking.folder, env: variables })).stdout);
    assertEquals(next.id, first.id);
  }
});

Deno.test("Variables that name different experiments, or one that is not there, are refused", async () => {
  await using tracking = await newTracking();
  const both = { MLFLOW_EXPERIMENT_NAME: "by name", MLFLOW_EXPERIMENT_ID: "0" };
  const conflict = await runProgram(PROGRAM, { folder: tracking.folder, env: both });
  assertEquals(conflict.code, 1);
  assertStringIncludes(conflict.stderr, "Unset one of them");
  const gone = await runProgram(PROGRAM, { folder: tracking.folder, env: { MLFLOW_EXPERIMENT_ID: "4711" } });
  assertEquals(gone.code, 1);
  assertStringIncludes(gone.stderr, "MLFLOW_EXPERIMENT_ID names");
});

Deno.test("What the program sets wins over the environment", async () => {
  await using tracking = await newTracking();
  const env = {
    MLFLOW_TRACKING_URI: "http://nowhere.invalid",
    MLFLOW_EXPERIMENT_NAME: "not this",
    MLFLOW_REGISTRY_URI: "sqlite:///r.db",
  };
  const source = `
mlflow.setTrackingUri("sqlite:///set.db");
const registry = mlflow.getRegistryUri();
mlflow.setRegistryUri("sqlite:///own.db");
const { experimentId } = await mlflow.setExperiment("this");
await mlflow.startRun(({ info }) => {
  console.log(JSON.stringify([mlflow.getTrackingUri(), registry, mlflow.getRegistryUri(), info.experimentId === experimentId]));
});`;
  const result = await runProgram(source, { folder: tracking.folder, env });
  assertEquals(result.stdout, '["sqlite:///set.db","sqlite:///r.db","sqlite:///own.db",true]', result.stderr);
});

Deno.test("The registry is where runs go unless told otherwise", async () => {
  await using tracking = await newTracking();
  const source = `mlflow.setTrackingUri("sqlite:///a.db"); console.log(mlflow.getRegistryUri());`;
  assertEquals((await runProgram(source, { folder: tracking.folder })).stdout, "sqlite:///a.db");
});

Deno.test("MLFLOW_RUN_ID resumes a run, for the first run of a process", async () => {
  await using tracking = await newTracking();
  await setExperiment("of the run");
  const runId = await startRun(({ info }) => info.runId);
  const source = `
const ids = [];
for (let index = 0; index < 2; index++) await mlflow.startRun(({ info }) => ids.push(info.runId));
console.log(ids.join());`;
  const result = await runProgram(source, { folder: tracking.folder, env: { MLFLOW_RUN_ID: runId } });
  assertEquals(result.code, 0, result.stderr);
  const [first, second] = result.stdout.split(",");
  assertEquals(first, runId);
  assertMatch(second ?? "", /^[0-9a-f]{32}$/);
  assert(second !== runId);
});

Deno.test("A program that ends with runs open finishes them, the implicit one too", async () => {
  await using tracking = await newTracking();
  const source = `
await mlflow.startRun({ runName: "outer" });
await mlflow.startRun({ runName: "inner", nested: true });`;
  const result = await runProgram(source, { folder: tracking.folder });
  assertEquals(result.code, 0, result.stderr);
  const implicit = await runProgram(`await mlflow.logParam("a", 1);`, { folder: tracking.folder });
  assertEquals(implicit.code, 0, implicit.stderr);
  const runs = await tracking.runs();
  assertEquals(runs.map(({ info }) => info.status), ["FINISHED", "FINISHED", "FINISHED"]);
  assertEquals(runs[2]?.data.params, { a: "1" });
});

Deno.test("Without leave to read the environment nothing is asked and no default is taken in silence", async () => {
  await using tracking = await newTracking();
  const { folder } = tracking;
  const files = [`--allow-read`, `--allow-write`];
  const undecided = await runProgram(PROGRAM, { folder, permissions: files });
  assertEquals(undecided.code, 1);
  assertStringIncludes(undecided.stderr, "--allow-env=MLFLOW_*");
  assertStringIncludes(undecided.stderr, '"MLFLOW_TRACKING_URI"');
  const denied = await runProgram(PROGRAM, { folder, permissions: [...files, "--deny-env"] });
  assertEquals(denied.code, 0, denied.stderr);
  assertEquals([JSON.parse(denied.stdout).uri, JSON.parse(denied.stdout).user], ["sqlite:///mlflow.db", "unknown"]);
  const granted = await runProgram(PROGRAM, { folder, permissions: [...files, "--allow-env=MLFLOW_*"] });
  assertEquals(granted.code, 0, granted.stderr);
  const told = `
mlflow.setTrackingUri("sqlite:///mlflow.db");
await mlflow.setExperiment("told");
await mlflow.startRun(() => console.log("done"));`;
  const needless = await runProgram(told, { folder, permissions: files });
  assertEquals(needless.stdout, "done", needless.stderr);
});
