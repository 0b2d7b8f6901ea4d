import type { Page, PageOptions, Tags } from "../tracking/mod.ts";
import type { ModelStage, ModelVersion, RegisteredModel } from "./entities.ts";

/** Options for searching a registry. */
export interface SearchRegistryOptions extends PageOptions {
  /** MLflow's filter, such as `name LIKE 'chat%'` or `run_id = '…'`. Default: all. */
  readonly filter?: string;
  /** Such as `["name ASC"]`. Default: the store's order. */
  readonly orderBy?: readonly string[];
  /** Most things on one page. @default {100} */
  readonly maxResults?: number;
}

/** What {@linkcode ModelRegistry.createModelVersion} makes. */
export interface CreateModelVersionOptions {
  /** Name of the registered model, which must exist. */
  readonly name: string;
  /** URI of the model: `models:/m-…`, `runs:/id/path`, `mlflow-artifacts:/…`, or a path where the registry is embedded. */
  readonly source: string;
  /** Run that made the model. */
  readonly runId?: string;
  /** Logged model that it is. */
  readonly modelId?: string;
  /**
   * Where the logged model's files are: for an embedded registry whose own database does not hold that model, as runs
   * go to another place. Servers look for it themselves. Default: what the database says.
   */
  readonly location?: string;
  /** What is special about it. */
  readonly description?: string;
  /** Tags. */
  readonly tags?: Tags;
}

/**
 * Where models are registered: in the same places as tracking, see `TrackingStore`. Every method rejects with a
 * `TrackingError`, `RESOURCE_DOES_NOT_EXIST` where there is no such thing (also for an unknown alias).
 */
export interface ModelRegistry extends AsyncDisposable {
  /** URI that it was opened by, without secrets. */
  readonly uri: string;

  /** Makes a registered model. Rejects with `RESOURCE_ALREADY_EXISTS` if there is one. */
  createRegisteredModel(
    name: string,
    options?: { readonly description?: string; readonly tags?: Tags },
  ): Promise<RegisteredModel>;
  /** The registered model of a name. */
  getRegisteredModel(name: string): Promise<RegisteredModel>;
  /** Says what a registered model is for. */
  updateRegisteredModel(name: string, description: string): Promise<RegisteredModel>;
  /** Gives a registered model another name. */
  renameRegisteredModel(name: string, newName: string): Promise<RegisteredModel>;
  /** Removes a registered model with all its versions, for good. */
  deleteRegisteredModel(name: string): Promise<void>;
  /** Looks for registered models. Prompts, which MLflow keeps in the same place, are left out. */
  searchRegisteredModels(options?: SearchRegistryOptions): Promise<Page<RegisteredModel>>;
  /** The latest version of each stage, or of the stages named. */
  getLatestVersions(name: string, stages?: readonly ModelStage[]): Promise<readonly ModelVersion[]>;
  /** Sets a tag of a registered model. */
  setRegisteredModelTag(name: string, key: string, value: string): Promise<void>;
  /** Removes a tag of a registered model. */
  deleteRegisteredModelTag(name: string, key: string): Promise<void>;
  /** Lets an alias stand for a version, which it may do for one of a model's versions at a time. */
  setAlias(name: string, alias: string, version: string | number): Promise<void>;
  /** Removes an alias; one that is not there is no error, as for MLflow. */
  deleteAlias(name: string, alias: string): Promise<void>;
  /** The version that an alias stands for. */
  getModelVersionByAlias(name: string, alias: string): Promise<ModelVersion>;

  /** Makes a version: the next number of its model. */
  createModelVersion(options: CreateModelVersionOptions): Promise<ModelVersion>;
  /** A version. */
  getModelVersion(name: string, version: string | number): Promise<ModelVersion>;
  /** Says what is special about a version. */
  updateModelVersion(name: string, version: string | number, description: string): Promise<ModelVersion>;
  /** Removes a version, for good. */
  deleteModelVersion(name: string, version: string | number): Promise<void>;
  /** Looks for versions. */
  searchModelVersions(options?: SearchRegistryOptions): Promise<Page<ModelVersion>>;
  /** URI under which the files of a version are kept. */
  getModelVersionDownloadUri(name: string, version: string | number): Promise<string>;
  /** Sets a tag of a version. */
  setModelVersionTag(name: string, version: string | number, key: string, value: string): Promise<void>;
  /** Removes a tag of a version. */
  deleteModelVersionTag(name: string, version: string | number, key: string): Promise<void>;
  /** Moves a version to a stage. */
  transitionModelVersionStage(name: string, version: string | number, stage: ModelStage): Promise<ModelVersion>;
}
