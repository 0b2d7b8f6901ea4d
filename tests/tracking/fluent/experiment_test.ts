import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TrackingError } from "@chatmodel/chat-model/tracking";
import { searchRuns, setExperiment, setTrackingUri, startRun } from "../../../tracking/fluent/mod.ts";
import { newTracking } from "./support.ts";

Deno.test("setExperiment() makes an experiment the first time, and runs belong to it", async () => {
  await using _tracking = await newTracking();
  const made = await setExperiment("greetings");
  assertEquals(made.name, "greetings");
  assertEquals(await setExperiment("greetings"), made);
  assertEquals(await setExperiment({ experimentId: made.experimentId }), made);
  await startRun(({ info }) => assertEquals(info.experimentId, made.experimentId));
  await startRun({ experimentId: "0" }, ({ info }) => assertEquals(info.experimentId, "0"));
});

Deno.test("setExperiment() gives all of many callers the same new experiment", async () => {
  await using tracking = await newTracking();
  const experiments = await Promise.all(Array.from({ length: 20 }, () => setExperiment("race")));
  assertEquals(new Set(experiments.map(({ experimentId }) => experimentId)).size, 1);
  assertEquals((await tracking.store.searchExperiments({ filter: "name = 'race'" })).items.length, 1);
});

Deno.test("setExperiment() says how to restore a deleted experiment", async () => {
  await using tracking = await newTracking();
  const { experimentId } = await setExperiment("gone");
  await tracking.store.deleteExperiment(experimentId);
  const error = await assertRejects(() => setExperiment("gone"), TrackingError);
  assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
  assertStringIncludes(error.message, `restoreExperiment("${experimentId}")`);
  await assertRejects(() => setExperiment({ experimentId }), TrackingError, "restoreExperiment");
});

Deno.test("setExperiment() refuses an id of nothing", async () => {
  await using _tracking = await newTracking();
  const error = await assertRejects(() => setExperiment({ experimentId: "987654" }), TrackingError);
  assertEquals(error.errorCode, "RESOURCE_DOES_NOT_EXIST");
});

Deno.test("setExperiment() chooses for its own store only", async () => {
  await using tracking = await newTracking();
  const { experimentId } = await setExperiment("here");
  setTrackingUri(`sqlite:///${tracking.folder}/other.db`);
  await startRun(({ info }) => assertEquals(info.experimentId, "0"));
  setTrackingUri(tracking.uri);
  await startRun(({ info }) => assertEquals(info.experimentId, experimentId));
});

Deno.test("searchRuns() looks in the chosen experiment, up to as many runs as asked for", async () => {
  await using _tracking = await newTracking();
  await startRun({ runName: "elsewhere" }, () => {});
  await setExperiment("here");
  for (const runName of ["a", "b", "c"]) await startRun({ runName }, () => {});
  const names = (await searchRuns({ orderBy: ["attributes.run_name ASC"] })).map(({ info }) => info.runName);
  assertEquals(names, ["a", "b", "c"]);
  assertEquals((await searchRuns({ maxResults: 2 })).length, 2);
  assertEquals((await searchRuns({ experimentIds: ["0"] })).map(({ info }) => info.runName), ["elsewhere"]);
  assertEquals((await searchRuns({ filter: "run_name = 'b'" })).length, 1);
});
