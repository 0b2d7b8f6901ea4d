import { readDecidingVariable } from "../_environment.ts";
import type { Experiment } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { TrackingStore } from "../tracking_store.ts";
import { getTrackingStore, getTrackingUri } from "./settings.ts";

/** MLflow's "Default", which every store has from the start. */
const DEFAULT_EXPERIMENT_ID = "0";

/** What {@linkcode setExperiment} chose, and in which store: elsewhere the same id is another experiment. */
let chosen: { readonly trackingUri: string; readonly experimentId: string } | undefined;

/**
 * Chooses the experiment that runs started from now on belong to, for the whole process. An experiment of a name that
 * does not exist is made; callers that make it at the same time all get the same one.
 *
 * Tasks that run at the same time in different experiments name theirs in `startRun({ experimentId })` instead.
 *
 * @param experiment Its name, or its id.
 * @returns The experiment.
 * @throws {TrackingError} If there is no experiment of that id (`RESOURCE_DOES_NOT_EXIST`), or if it is deleted
 *   (`INVALID_PARAMETER_VALUE`).
 */
export async function setExperiment(experiment: string | { readonly experimentId: string }): Promise<Experiment> {
  const trackingUri = getTrackingUri();
  const store = getTrackingStore();
  const found = typeof experiment === "string"
    ? await getOrCreate(store, experiment)
    : await store.getExperiment(experiment.experimentId);
  if (found.lifecycleStage === "deleted") throw deletedExperiment(found);
  chosen = { trackingUri, experimentId: found.experimentId };
  return found;
}

/** What {@linkcode setExperiment} chose in the store that runs go to, if anything. */
export function chosenExperimentId(): string | undefined {
  return chosen?.trackingUri === getTrackingUri() ? chosen.experimentId : undefined;
}

/**
 * The experiment that a run belongs to if it is told none: the one that {@linkcode setExperiment} chose, else that of
 * `MLFLOW_EXPERIMENT_NAME`, which is made if it does not exist, else that of `MLFLOW_EXPERIMENT_ID`, else "Default".
 *
 * @returns Its id.
 * @throws {TrackingError} If the two variables name different experiments, or one that is deleted or does not exist, or
 *   if no one has decided whether they may be read.
 */
export async function activeExperimentId(): Promise<string> {
  const experimentId = chosenExperimentId();
  if (experimentId !== undefined) return experimentId;
  const name = readDecidingVariable("MLFLOW_EXPERIMENT_NAME", "call setExperiment()");
  const id = readDecidingVariable("MLFLOW_EXPERIMENT_ID", "call setExperiment()");
  if (name === undefined && id === undefined) return DEFAULT_EXPERIMENT_ID;
  const store = getTrackingStore();
  const found = name !== undefined ? await getOrCreate(store, name) : await ofVariable(store, id ?? "");
  if (id !== undefined && id !== found.experimentId) {
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot choose the experiment: MLFLOW_EXPERIMENT_ID is "${id}", but the experiment "${name}" of ` +
        `MLFLOW_EXPERIMENT_NAME has id "${found.experimentId}". Unset one of them`,
    );
  }
  if (found.lifecycleStage === "deleted") throw deletedExperiment(found);
  return found.experimentId;
}

async function getOrCreate(store: TrackingStore, name: string): Promise<Experiment> {
  const found = await store.getExperimentByName(name);
  if (found !== undefined) return found;
  try {
    return await store.getExperiment(await store.createExperiment({ name }));
  } catch (error) {
    // Another task or process was quicker: theirs is as good.
    if (!(error instanceof TrackingError) || error.errorCode !== "RESOURCE_ALREADY_EXISTS") throw error;
    const made = await store.getExperimentByName(name);
    if (made === undefined) throw error;
    return made;
  }
}

async function ofVariable(store: TrackingStore, id: string): Promise<Experiment> {
  try {
    return await store.getExperiment(id);
  } catch (cause) {
    if (!(cause instanceof TrackingError) || cause.errorCode !== "RESOURCE_DOES_NOT_EXIST") throw cause;
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot choose the experiment: there is none of id "${id}", which MLFLOW_EXPERIMENT_ID names. ` +
        "Set it to an id of this store, or unset it",
      { cause },
    );
  }
}

function deletedExperiment({ name, experimentId }: Experiment): TrackingError {
  return new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot use experiment "${name}": it is deleted. ` +
      `Restore it by getTrackingStore().restoreExperiment("${experimentId}") or 'mlflow experiments restore ` +
      `--experiment-id ${experimentId}', or choose another name`,
  );
}
