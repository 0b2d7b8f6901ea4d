import { assert, assertEquals, assertRejects } from "@std/assert";
import { evaluate, type EvaluateOptions, exactMatch, latency } from "../../../evaluation/mod.ts";
import { parseChatResponse } from "../../../types/mod.ts";
import { openTrackingStore, TrackingError, type TrackingStore } from "../../../tracking/mod.ts";
import { Answering, Echo, withFolder } from "../_models.ts";

async function withStore(work: (store: TrackingStore, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await using store = openTrackingStore(`sqlite:///${folder}/mlflow.db`);
    await work(store, folder);
  });
}

async function tableIn(
  store: TrackingStore,
  runId: string,
): Promise<{ readonly columns: string[]; readonly data: unknown[][] }> {
  const { info } = await store.getRun(runId);
  return await new Response(await store.artifacts(info.artifactUri).get("eval_results.json")).json();
}

const data = [
  { inputs: { question: "a" }, expectations: { expected_response: "a" } },
  { inputs: { question: "b" }, expectations: { expected_response: "x", source: "book" } },
];

Deno.test("evaluate() logs a run with metrics, params, tags, the dataset and the table", async () => {
  await withStore(async (store) => {
    const result = await evaluate({
      model: Echo,
      data,
      scorers: [exactMatch(), latency(), function broken() {
        throw new Error("Boom");
      }],
      seed: 3,
      params: { temperature: 0, stop: ["x"] },
      trackingStore: store,
      experiment: "evaluations",
      runName: "first",
    });
    assert(result.runId !== undefined);
    const run = await store.getRun(result.runId);
    assertEquals(run.info.status, "FINISHED");
    assertEquals(run.info.runName, "first");
    assertEquals((await store.getExperimentByName("evaluations"))?.experimentId, run.info.experimentId);
    assertEquals(run.data.metrics, { ...result.metrics });
    assertEquals(run.data.metrics["exact_match/mean"], 0.5);
    assertEquals(run.data.metrics["broken/errors"], 2);
    assertEquals(run.data.params, {
      model: "Echo",
      dataset: "dataset",
      dataset_digest: result.config.dataset.digest.slice(0, 8),
      scorers: "exact_match, latency, broken",
      seed: "3",
      "params.temperature": "0",
      "params.stop": '["x"]',
    });
    assertEquals(run.data.tags["mlflow.runType"], "genai_evaluate");
    assertEquals(run.data.tags["mlflow.loggedArtifacts"], '[{"path":"eval_results.json","type":"table"}]');
    assert(run.data.tags["mlflow.user"] !== undefined);
    const [input] = run.inputs.datasets;
    assertEquals(input?.dataset.name, "dataset");
    assertEquals(input?.dataset.digest, result.config.dataset.digest.slice(0, 8));
    assertEquals(input?.dataset.profile, '{"num_rows":2,"num_elements":4}');
    const schema: unknown = JSON.parse(input?.dataset.schema ?? "");
    assertEquals(JSON.stringify(schema).startsWith('{"mlflow_colspec":[{"type":"object"'), true);

    const table = await tableIn(store, result.runId);
    assertEquals(table.columns, [
      "row_id",
      "exact_match/value",
      "latency/value",
      "broken/value",
      "broken/error_message",
      "expected_response/value",
      "source/value",
      "client_request_id",
      "state",
      "request_time",
      "execution_duration",
      "request",
      "response",
      "seed",
    ]);
    const records = table.data.map((cells) =>
      Object.fromEntries(table.columns.map((column, place) => [column, cells[place]]))
    );
    assertEquals(records.map((record) => record["exact_match/value"]), [true, false]);
    assertEquals(records.map((record) => record["source/value"]), [null, "book"]);
    assertEquals(records[0]?.["request"], { question: "a" });
    assertEquals(parseChatResponse(records[0]?.["response"]).choices[0]?.message.content, "a");
    assertEquals(records[0]?.["broken/error_message"], 'Cannot score by "broken": the scorer failed: Boom');
  });
});

Deno.test("evaluate() links the run and its metrics to the logged model, if the store has it", async () => {
  await withStore(async (store) => {
    const { modelId } = await store.createLoggedModel({ experimentId: "0", name: "echo" });
    await store.finalizeLoggedModel(modelId, "READY");
    const options: EvaluateOptions = { model: Echo, data, scorers: [exactMatch()], trackingStore: store };
    const { runId } = await evaluate({ ...options, modelId });
    const run = await store.getRun(runId ?? "");
    assertEquals(run.inputs.modelIds, [modelId]);
    assertEquals(run.data.params["model_id"], modelId);
    const metrics = (await store.getLoggedModel(modelId)).metrics;
    assertEquals(metrics.find(({ key }) => key === "exact_match/mean")?.value, 0.5);
    assertEquals(metrics[0]?.datasetName, "dataset");
    const elsewhere = await evaluate({ ...options, modelId: "m-00000000000000000000000000000000" });
    assertEquals((await store.getRun(elsewhere.runId ?? "")).inputs.modelIds, []);
  });
});

Deno.test("evaluate() ends the run as KILLED when it is given up, as FAILED when it fails, and goes on with it when resumed", async () => {
  await withStore(async (store, folder) => {
    const controller = new AbortController();
    const options: EvaluateOptions = {
      model: new Answering((text) => text),
      data,
      scorers: [exactMatch()],
      trackingStore: store,
      resume: `${folder}/j.jsonl`,
      concurrency: 1,
    };
    const statusOf = async () => {
      const { items } = await store.searchRuns({ experimentIds: ["0"] });
      return items.map(({ info }) => info.status);
    };
    await assertRejects(
      () =>
        evaluate({
          ...options,
          signal: controller.signal,
          onProgress: ({ done }) => done === 1 && controller.abort(new Error("Enough")),
        }),
      Error,
      "Enough",
    );
    assertEquals(await statusOf(), ["KILLED"]);
    await assertRejects(() =>
      evaluate({
        ...options,
        onProgress: () => {
          throw new RangeError("Broken");
        },
      }), RangeError);
    assertEquals(await statusOf(), ["FAILED"]);
    const result = await evaluate(options);
    assertEquals(await statusOf(), ["FINISHED"]);
    assertEquals(result.resumed, 1);
    assertEquals((await store.getRun(result.runId ?? "")).data.metrics["exact_match/mean"], 0.5);
    assertEquals((await tableIn(store, result.runId ?? "")).data.length, 2);
    // Once more, with nothing left to do: the same run, with the same values.
    assertEquals((await evaluate(options)).runId, result.runId);
    assertEquals(await statusOf(), ["FINISHED"]);
  });
});

Deno.test("evaluate() tells at once of a run that cannot be logged", async () => {
  await withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "gone" });
    await store.deleteExperiment(experimentId);
    const model = new Answering((text) => text);
    await assertRejects(
      () => evaluate({ model, data, scorers: [], trackingStore: store, experiment: "gone" }),
      TrackingError,
    );
    assertEquals(model.seen.length, 0);
    const error = await assertRejects(
      () => evaluate({ model, data, scorers: [], trackingStore: store, params: { user: "x".repeat(7000) } }),
      TrackingError,
    );
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    assertEquals(model.seen.length, 0);
    const { items } = await store.searchRuns({ experimentIds: ["0"] });
    assertEquals(items.map(({ info }) => info.status), ["FAILED"]);
  });
});
