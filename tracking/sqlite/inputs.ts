import { checkCount, checkLength, checkWhole, invalid, LIMITS } from "../limits.ts";
import type { Dataset, DatasetInput, ModelOutput, Tags } from "../entities.ts";
import type { Database } from "./database.ts";
import { requireActiveRun } from "./_records.ts";
import { newId, textOf } from "./_rows.ts";

const LINK = "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step) " +
  "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source_type, source_id, destination_type, destination_id) " +
  "DO UPDATE SET step = excluded.step";

/** What the runs of a database used and made. */
export class Inputs {
  readonly #database: Database;

  /**
   * What the runs of a database used and made.
   *
   * @param database The database.
   */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes what a run uses. What is noted already stays as it is. */
  logInputs(
    runId: string,
    inputs: { readonly datasets?: readonly DatasetInput[]; readonly modelIds?: readonly string[] },
  ): void {
    const action = `log inputs of run "${runId}"`;
    const { datasets = [], modelIds = [] } = inputs;
    checkCount(action, "datasets", { count: datasets.length, limit: LIMITS.batchDatasets });
    for (const { dataset, tags } of datasets) checkDataset(action, dataset, tags);
    this.#database.write(() => {
      const experimentId = textOf(requireActiveRun(this.#database, action, runId), "experiment_id");
      for (const { dataset, tags } of datasets) {
        this.#linkDataset(this.#datasetId(dataset, experimentId), { runId, tags });
      }
      for (const modelId of modelIds) {
        this.#database.run(LINK, [newId(), "RUN_INPUT", runId, "MODEL_INPUT", modelId, 0]);
      }
    });
  }

  /** Notes which models a run made. */
  logOutputs(runId: string, models: readonly ModelOutput[]): void {
    const action = `log outputs of run "${runId}"`;
    for (const { modelId, step } of models) checkWhole(action, `the step of model "${modelId}"`, { value: step });
    this.#database.write(() => {
      requireActiveRun(this.#database, action, runId);
      for (const { modelId, step } of models) {
        this.#database.run(LINK, [newId(), "RUN_OUTPUT", runId, "MODEL_OUTPUT", modelId, step]);
      }
    });
  }

  #datasetId(dataset: Dataset, experimentId: string): string {
    const { name, digest, sourceType, source, schema = null, profile = null } = dataset;
    const known = this.#database.get(
      "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
      [experimentId, name, digest],
    );
    if (known !== undefined) return textOf(known, "dataset_uuid");
    const id = newId();
    this.#database.run(
      "INSERT INTO datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, " +
        "dataset_schema, dataset_profile) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      [id, experimentId, name, digest, sourceType, source, schema, profile],
    );
    return id;
  }

  #linkDataset(datasetId: string, { runId, tags }: { readonly runId: string; readonly tags: Tags }): void {
    const id = newId();
    const written = this.#database.run(
      "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id) " +
        "VALUES (?, 'DATASET', ?, 'RUN', ?) ON CONFLICT DO NOTHING",
      [id, datasetId, runId],
    );
    if (written === 0) return;
    for (const [name, value] of Object.entries(tags)) {
      this.#database.run("INSERT INTO input_tags (input_uuid, name, value) VALUES (?, ?, ?)", [id, name, value]);
    }
  }
}

function checkDataset(action: string, dataset: Dataset, tags: Tags): void {
  const { name, digest, sourceType, source, schema = "", profile = "" } = dataset;
  if (name === "" || digest === "") throw invalid(action, "a dataset needs a name and a digest");
  const texts: [what: string, text: string, limit: number][] = [
    ["name", name, 500],
    ["digest", digest, 36],
    ["source type", sourceType, 36],
    ["source", source, 65_535],
    ["schema", schema, 1_048_575],
    ["profile", profile, 16_777_215],
  ];
  for (const [what, text, limit] of texts) {
    checkLength(action, `the ${what} of dataset "${name.slice(0, 40)}"`, { text, limit });
  }
  for (const [key, value] of Object.entries(tags)) {
    checkLength(action, `the key of tag "${key.slice(0, 40)}" of dataset "${name}"`, { text: key, limit: 255 });
    checkLength(action, `the value of tag "${key.slice(0, 40)}" of dataset "${name}"`, { text: value, limit: 500 });
  }
}
