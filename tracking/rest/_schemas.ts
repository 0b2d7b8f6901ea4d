import * as v from "valibot";

const text = v.nullish(v.string());
/** MLflow writes int64 as numbers; JSON that was made from its protocol buffers has them as text. */
const integer = v.nullish(v.pipe(v.union([v.number(), v.string()]), v.transform(Number)));
const id = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
const optionalId = v.nullish(id);
/** A number, or what JSON has no number for. */
const double = v.nullish(
  v.pipe(v.union([v.number(), v.picklist(["NaN", "Infinity", "-Infinity"])]), v.transform(Number)),
);
const pairs = v.nullish(v.array(v.object({ key: v.string(), value: text })));

const metric = v.object({
  key: v.string(),
  value: double,
  timestamp: integer,
  step: integer,
  model_id: text,
  dataset_name: text,
  dataset_digest: text,
  run_id: text,
});

const experiment = v.object({
  experiment_id: id,
  name: v.string(),
  artifact_location: text,
  lifecycle_stage: text,
  creation_time: integer,
  last_update_time: integer,
  tags: pairs,
});

const runInfo = v.object({
  run_id: optionalId,
  run_uuid: optionalId,
  run_name: text,
  experiment_id: id,
  user_id: text,
  status: v.nullish(v.picklist(["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"])),
  start_time: integer,
  end_time: integer,
  lifecycle_stage: text,
  artifact_uri: text,
});

const dataset = v.object({
  name: v.string(),
  digest: v.string(),
  source_type: text,
  source: text,
  schema: text,
  profile: text,
});

const run = v.object({
  info: runInfo,
  data: v.nullish(v.object({ metrics: v.nullish(v.array(metric)), params: pairs, tags: pairs })),
  inputs: v.nullish(v.object({
    dataset_inputs: v.nullish(v.array(v.object({ dataset, tags: pairs }))),
    model_inputs: v.nullish(v.array(v.object({ model_id: id }))),
  })),
  outputs: v.nullish(v.object({ model_outputs: v.nullish(v.array(v.object({ model_id: id, step: integer }))) })),
});

const loggedModel = v.object({
  info: v.object({
    model_id: id,
    experiment_id: id,
    name: text,
    creation_timestamp_ms: integer,
    last_updated_timestamp_ms: integer,
    artifact_uri: text,
    status: text,
    model_type: text,
    source_run_id: text,
    tags: pairs,
  }),
  data: v.nullish(v.object({ params: pairs, metrics: v.nullish(v.array(metric)) })),
});

/** A point of a metric. */
export type WireMetric = v.InferOutput<typeof metric>;
/** An experiment. */
export type WireExperiment = v.InferOutput<typeof experiment>;
/** A run, without what it logged. */
export type WireRunInfo = v.InferOutput<typeof runInfo>;
/** A run. */
export type WireRun = v.InferOutput<typeof run>;
/** A logged model. */
export type WireLoggedModel = v.InferOutput<typeof loggedModel>;
/** Names and values. */
export type WirePairs = v.InferOutput<typeof pairs>;

/** Anything, such as `{}`. */
export const anySchema = v.looseObject({});
/** Answer of `experiments/create`. */
export const experimentIdSchema = v.object({ experiment_id: id });
/** Answer of `experiments/get` and `get-by-name`. */
export const experimentSchema = v.object({ experiment });
/** Answer of `experiments/search`. */
export const experimentsSchema = v.object({ experiments: v.nullish(v.array(experiment)), next_page_token: text });
/** Answer of `runs/create` and `runs/get`. */
export const runSchema = v.object({ run });
/** Answer of `runs/update`. */
export const runInfoSchema = v.object({ run_info: runInfo });
/** Answer of `runs/search`. */
export const runsSchema = v.object({ runs: v.nullish(v.array(run)), next_page_token: text });
/** Answer of `metrics/get-history`. */
export const metricsSchema = v.object({ metrics: v.nullish(v.array(metric)), next_page_token: text });
/** Answer of `logged-models` and below. */
export const loggedModelSchema = v.object({ model: loggedModel });
/** Answer of `logged-models/search`. */
export const loggedModelsSchema = v.object({ models: v.nullish(v.array(loggedModel)), next_page_token: text });
