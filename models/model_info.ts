import type { ModelConfigValues } from "../model_config.ts";
import type { DenoFlavor, MlmodelFile } from "./mlmodel_file.ts";
import type { ModelPermissions } from "./permissions.ts";
import type { ModelSignature } from "../signature/mod.ts";

/** A file of a model. */
export interface ModelFile {
  /** Path from the model's folder, with `/`. */
  readonly path: string;
  /** SHA-256 of its contents, in hexadecimal. */
  readonly sha256: string;
  /** Size in bytes. */
  readonly size: number;
}

/** What is known of a saved model without running it. */
export interface ModelInfo {
  /** URI that it was asked for by, or that it was logged as. */
  readonly modelUri: string;
  /** Name that it was logged under, else its file's without the ending; of models that this package saved. */
  readonly name?: string;
  /** Whether it is a `ChatModel`, a `CustomModel`, or one of MLflow's Python models, which cannot be run here. */
  readonly kind: "chat" | "custom" | "python";
  /** Names of MLflow's flavors that it has. */
  readonly flavors: readonly string[];
  /** Id of the logged model. */
  readonly modelId?: string;
  /** Run that made it. */
  readonly runId?: string;
  /** Where it was logged to. */
  readonly artifactPath?: string;
  /** The model's code, from its folder. */
  readonly modelPath?: string;
  /** All its files but `MLmodel`, where it was saved by this package. */
  readonly files?: readonly ModelFile[];
  /** What it takes and gives. */
  readonly signature?: ModelSignature;
  /** Paths of its input example, from its folder. */
  readonly inputExample?: { readonly path: string; readonly servingPath?: string; readonly hasParams: boolean };
  /** What its author noted, with MLflow's `task`. */
  readonly metadata: ModelConfigValues;
  /** Configuration that was logged with it. */
  readonly modelConfig?: ModelConfigValues;
  /** Files and folders that were logged with it: path in its folder, and where they came from. */
  readonly artifacts: { readonly [name: string]: { readonly path: string; readonly uri: string } };
  /** What its code may do when Python runs it. */
  readonly permissions?: ModelPermissions;
  /** Whether it has MLflow's `predict_stream`. */
  readonly streamable: boolean;
  /** Version of MLflow's format. */
  readonly mlflowVersion?: string;
  /** Version of this package that saved it. */
  readonly packageVersion?: string;
  /** Version of Deno that saved it. */
  readonly denoVersion?: string;
  /** Size of all its files but `MLmodel`, in bytes. */
  readonly modelSizeBytes?: number;
  /** Unique id of these files. */
  readonly modelUuid?: string;
  /** When it was saved: `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC. */
  readonly utcTimeCreated?: string;
}

/** What an `MLmodel` file tells of its model. */
export function toModelInfo(modelUri: string, file: MlmodelFile): ModelInfo {
  const { deno, config, loaderModule: _, ...rest } = file;
  return {
    ...rest,
    modelUri,
    kind: deno?.kind ?? "python",
    streamable: file.streamable ?? false,
    ...(config !== undefined && { modelConfig: config }),
    ...(deno !== undefined && ofFlavor(deno)),
  };
}

function ofFlavor({ name, modelPath, files, permissions, packageVersion, denoVersion }: DenoFlavor) {
  return { ...(name !== undefined && { name }), modelPath, files, permissions, packageVersion, denoVersion };
}
