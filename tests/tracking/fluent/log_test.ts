import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { TrackingError } from "@chatmodel/chat-model/tracking";
import {
  activeRun,
  closeTracking,
  deleteTag,
  endRun,
  logArtifact,
  logArtifacts,
  logDict,
  logInput,
  logMetric,
  logMetrics,
  logParam,
  logParams,
  logText,
  setTag,
  setTags,
  startRun,
} from "../../../tracking/fluent/mod.ts";
import { newTracking, type Tracking } from "./support.ts";

Deno.test("logParam() and setTag() log text as it is and all else as text", async () => {
  await using tracking = await newTracking();
  const runId = await startRun(async ({ info }) => {
    await logParams({ text: "a", number: 0.5, big: 10n, yes: true, nothing: null, list: [1, "a"], object: { a: 1 } });
    await logParam("one", 1);
    await setTags({ a: 1, b: { c: 2 } });
    await setTag("d", "e");
    await deleteTag("a");
    return info.runId;
  });
  const { data } = await tracking.store.getRun(runId);
  assertEquals(data.params, {
    text: "a",
    number: "0.5",
    big: "10",
    yes: "true",
    nothing: "null",
    list: '[1,"a"]',
    object: '{"a":1}',
    one: "1",
  });
  assertEquals(["a" in data.tags, data.tags["b"], data.tags["d"]], [false, '{"c":2}', "e"]);
});

Deno.test("logParam() refuses what has no JSON form, and other values of the same param", async () => {
  await using _tracking = await newTracking();
  await startRun(async () => {
    await assertRejects(() => logParam("p", { big: 1n }), TrackingError, "no JSON form");
    await logParam("p", 1);
    const error = await assertRejects(() => logParam("p", 2), TrackingError);
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
  });
});

Deno.test("logMetric() logs at step 0 and now unless told otherwise", async () => {
  await using tracking = await newTracking();
  const before = Date.now();
  await startRun(async ({ info }) => {
    await logMetric("m", 1);
    await logMetric("m", 2, { step: 3, timestamp: 5 });
    const { items } = await tracking.store.getMetricHistory(info.runId, "m");
    assertEquals(items[0], { key: "m", value: 2, timestamp: 5, step: 3 });
    assertEquals([items[1]?.value, items[1]?.step], [1, 0]);
    assert((items[1]?.timestamp ?? 0) >= before);
  });
});

Deno.test("logParams(), setTags() and logMetrics() split what is more than a store takes at once", async () => {
  await using tracking = await newTracking();
  const texts = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`k${index}`, index]));
  const numbers = Object.fromEntries(Array.from({ length: 2300 }, (_, index) => [`k${index}`, index]));
  const runId = await startRun(async ({ info }) => {
    await logParams(texts);
    await setTags(texts);
    await logMetrics(numbers, { step: 1 });
    return info.runId;
  });
  const { data } = await tracking.store.getRun(runId);
  assertEquals(Object.keys(data.params).length, 250);
  assertEquals(data.params["k249"], "249");
  assertEquals(data.tags["k249"], "249");
  assertEquals(Object.keys(data.metrics).length, 2300);
  assertEquals(data.metrics["k2299"], 2299);
});

Deno.test("logMetric() links the logged model that it tells of", async () => {
  await using tracking = await newTracking();
  const { modelId } = await tracking.store.createLoggedModel({ experimentId: "0" });
  const runId = await startRun(async ({ info }) => {
    await logMetric("m", 1, { modelId });
    await logMetrics({ m: 2, n: 3 }, { modelId, step: 1 });
    const { modelId: made } = await tracking.store.createLoggedModel({ experimentId: "0", sourceRunId: info.runId });
    await tracking.store.logOutputs(info.runId, [{ modelId: made, step: 0 }]);
    await logMetric("m", 4, { modelId: made, step: 2 });
    return info.runId;
  });
  await logMetric("m", 5, { modelId, runId, step: 3 });
  const { inputs, data } = await tracking.store.getRun(runId);
  assertEquals(inputs.modelIds, [modelId]);
  assertEquals(data.metrics["m"], 5);
  const values = (await tracking.store.getLoggedModel(modelId)).metrics.map(({ value }) => value);
  assertEquals([...values].sort(), [1, 2, 3, 5]);
});

Deno.test("logInput() notes a dataset with its context", async () => {
  await using tracking = await newTracking();
  const dataset = { name: "questions", digest: "1", sourceType: "local", source: "{}" };
  const runId = await startRun(async ({ info }) => {
    await logInput(dataset, { context: "evaluation", tags: { a: 1 } });
    return info.runId;
  });
  const { datasets } = (await tracking.store.getRun(runId)).inputs;
  assertEquals(datasets, [{ dataset, tags: { "mlflow.data.context": "evaluation", a: "1" } }]);
});

Deno.test("Log functions start one run where none is active, also when they come at once", async () => {
  await using tracking = await newTracking();
  await Promise.all([logParam("a", 1), logMetric("b", 2), setTag("c", 3), logText("d", "d.txt")]);
  const run = activeRun();
  assert(run !== undefined);
  await logParam("e", 4);
  await assertRejects(() => startRun(), TrackingError, run.info.runId);
  await endRun();
  assertEquals(activeRun(), undefined);
  const [{ info, data } = { info: undefined, data: undefined }, ...others] = await tracking.runs();
  assertEquals(others, []);
  assertEquals([info?.runId, info?.status], [run.info.runId, "FINISHED"]);
  assertEquals([data?.params, data?.metrics, data?.tags["c"]], [{ a: "1", e: "4" }, { b: 2 }, "3"]);
});

Deno.test("closeTracking() ends what is open, and stores open again when they are needed", async () => {
  await using tracking = await newTracking();
  await logParam("a", 1);
  await startRun({ nested: true, runName: "inner" });
  await closeTracking();
  assertEquals(activeRun(), undefined);
  assertEquals((await tracking.runs()).map(({ info }) => info.status), ["FINISHED", "FINISHED"]);
});

Deno.test("logArtifact() and logArtifacts() bring files and folders to the run", async () => {
  await using tracking = await newTracking();
  const from = join(tracking.folder, "from");
  await Deno.mkdir(join(from, "deep"), { recursive: true });
  await Deno.writeTextFile(join(from, "a.txt"), "a");
  await Deno.writeTextFile(join(from, "deep", "b.txt"), "b");
  const paths = await startRun(async ({ info, store }) => {
    await logArtifact(join(from, "a.txt"));
    await logArtifact(join(from, "a.txt"), { path: "x/y" });
    await logArtifact(`${from}/`, { path: "x" });
    await logArtifacts(from, { path: "z" });
    await logArtifacts(from);
    await assertRejects(() => logArtifact(join(from, "none.txt")));
    await assertRejects(() => logArtifact(join(from, "a.txt"), { path: "../.." }), TrackingError);
    return (await store.artifacts(info.artifactUri).listAll()).map(({ path }) => path);
  });
  assertEquals(paths, [
    "a.txt",
    "deep/b.txt",
    "x/from/a.txt",
    "x/from/deep/b.txt",
    "x/y/a.txt",
    "z/a.txt",
    "z/deep/b.txt",
  ]);
});

Deno.test("logText() and logDict() write files in the form of their names", async () => {
  await using tracking = await newTracking();
  const object = { text: "é", list: [1, { a: null }] };
  await startRun(async () => {
    await logText("Answer in one word.", "prompts/system.txt");
    await logDict(object, "data.json");
    await logDict(object, "data.yaml");
    await logDict(object, "data.YML");
    await logDict(object, "data");
    await assertRejects(() => logDict({ a: 1n }, "a.json"), TrackingError, "JSON");
    await assertRejects(() => logDict({ a: () => {} }, "a.yaml"), TrackingError, "YAML");
    await assertRejects(() => logText("a", "../a.txt"), TrackingError);
  });
  const json = '{\n  "text": "é",\n  "list": [\n    1,\n    {\n      "a": null\n    }\n  ]\n}';
  const yaml = "text: é\nlist:\n  - 1\n  - a: null\n";
  assertEquals(await files(tracking), {
    "data": json,
    "data.YML": yaml,
    "data.json": json,
    "data.yaml": yaml,
    "prompts/system.txt": "Answer in one word.",
  });
});

async function files(tracking: Tracking): Promise<{ readonly [path: string]: string }> {
  const [run] = await tracking.runs();
  const artifacts = tracking.store.artifacts(run?.info.artifactUri ?? "");
  const contents: Record<string, string> = {};
  for (const { path } of await artifacts.listAll()) {
    contents[path] = await new Response(await artifacts.get(path)).text();
  }
  return contents;
}
