import { parse } from "@std/yaml";
import * as v from "valibot";
import { ChatModelError } from "../types/mod.ts";
import type { ModelConfigValues } from "../model_config.ts";
import { checkConfig } from "./config_layers.ts";
import { type ModelPermissions, parsePermissions } from "./permissions.ts";
import type { ModelSignature } from "../signature/mod.ts";
import { formatYaml, type YamlValue } from "./_yaml.ts";
import type { SourceFile } from "./_source_files.ts";

/** Name of the file that describes a model, in its folder. */
export const MLMODEL = "MLmodel";

/**
 * Version of what this package writes into a model's folder. One that is greater than it knows is refused; all smaller
 * ones are read.
 */
export const FORMAT_VERSION = 1;

/** The MLflow whose format is written. */
export const MLFLOW_VERSION = "3.17.2";

/** The Python that MLflow warns about if another one loads the model; any will do. */
const PYTHON_VERSION = "3.11.7";

/** What this package says of a model: the flavor `deno_function`. */
export interface DenoFlavor {
  /** Name that it answers under where it is not registered; absent in files of early versions. */
  readonly name?: string;
  /** Whether it is a `ChatModel` or a `CustomModel`. */
  readonly kind: "chat" | "custom";
  /** The model's file, from the folder. */
  readonly modelPath: string;
  /** Whether it yields its answer piece by piece. */
  readonly streamable: boolean;
  /** Version of this package that it was saved with. */
  readonly packageVersion: string;
  /** Version of Deno that it was saved with. */
  readonly denoVersion: string;
  /** Deno's executable that it was saved with, for a Python that finds none. */
  readonly denoPath?: string;
  /** The `deno.json` of the checkout that it was saved with; absent where the package comes from its registry. */
  readonly config?: string;
  /** What its code may do when Python runs it. */
  readonly permissions: ModelPermissions;
  /** All files but this one. */
  readonly files: readonly SourceFile[];
  /** The lock file, from the folder. */
  readonly lock?: string;
}

/** What `MLmodel` says, as far as this package knows it. */
export interface MlmodelFile {
  /** Where it was logged to. */
  readonly artifactPath?: string;
  /** This package's flavor; absent for models that were not saved by it. */
  readonly deno?: DenoFlavor;
  /** Names of all flavors. */
  readonly flavors: readonly string[];
  /** Module that loads it in Python. */
  readonly loaderModule?: string;
  /** Whether it is Python's `predict_stream` that it has. */
  readonly streamable?: boolean;
  /** Configuration that was logged. */
  readonly config?: ModelConfigValues;
  /** Files and folders by name: path in the folder, and where they came from. */
  readonly artifacts: { readonly [name: string]: { readonly path: string; readonly uri: string } };
  /** What the author noted. */
  readonly metadata: ModelConfigValues;
  /** Version of MLflow's format. */
  readonly mlflowVersion?: string;
  /** Id of the logged model. */
  readonly modelId?: string;
  /** Size of all files but this one, in bytes. */
  readonly modelSizeBytes?: number;
  /** Unique id of these files. */
  readonly modelUuid?: string;
  /** Run that made it. */
  readonly runId?: string;
  /** The input example's files. */
  readonly inputExample?: { readonly path: string; readonly servingPath?: string; readonly hasParams: boolean };
  /** What it takes and gives. */
  readonly signature?: ModelSignature;
  /** When it was made: `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC. */
  readonly utcTimeCreated?: string;
}

/** Writes what `MLmodel` says, so that MLflow reads it. */
export function formatMlmodel(file: MlmodelFile & { readonly deno: DenoFlavor }): string {
  const { deno, signature, inputExample } = file;
  const artifacts: YamlValue = Object.fromEntries(
    Object.entries(file.artifacts).map(([name, { path, uri }]) => [name, { path, uri }]),
  );
  return formatYaml({
    artifact_path: file.artifactPath ?? null,
    flavors: {
      deno_function: {
        format_version: FORMAT_VERSION,
        runtime: "deno",
        kind: deno.kind,
        ...(deno.name !== undefined && { name: deno.name }),
        model_path: deno.modelPath,
        package: `jsr:@chatmodel/chat-model@${deno.packageVersion}`,
        package_version: deno.packageVersion,
        deno_version: deno.denoVersion,
        ...(deno.denoPath !== undefined && { deno: deno.denoPath }),
        ...(deno.config !== undefined && { config: deno.config }),
        permissions: Object.fromEntries(Object.entries(deno.permissions)),
        files: deno.files.map(({ path, sha256, size }) => ({ path, sha256, size })),
        ...(deno.lock !== undefined && { lock: deno.lock }),
      },
      python_function: {
        code: "code",
        env: { conda: "conda.yaml", virtualenv: "python_env.yaml" },
        loader_module: "deno_chat_loader",
        python_version: PYTHON_VERSION,
        streamable: deno.streamable,
        ...(Object.keys(file.artifacts).length > 0 && { artifacts }),
        ...(file.config !== undefined && { config: file.config }),
      },
    },
    is_signature_from_type_hint: false,
    ...(Object.keys(file.metadata).length > 0 && { metadata: file.metadata }),
    mlflow_version: MLFLOW_VERSION,
    ...(file.modelId !== undefined && { model_id: file.modelId }),
    model_size_bytes: file.modelSizeBytes ?? 0,
    model_uuid: file.modelUuid ?? null,
    prompts: null,
    ...(file.runId !== undefined && { run_id: file.runId }),
    ...(inputExample !== undefined && {
      saved_input_example_info: {
        artifact_path: inputExample.path,
        ...(inputExample.servingPath !== undefined && { serving_input_path: inputExample.servingPath }),
        ...(inputExample.hasParams && { params: "true" }),
        type: "json_object",
      },
    }),
    ...(signature !== undefined && {
      signature: { inputs: signature.inputs, outputs: signature.outputs, params: signature.params },
    }),
    type_hint_from_example: false,
    utc_time_created: file.utcTimeCreated ?? null,
  });
}

const text = v.nullish(v.string());
const files = v.array(v.object({ path: v.string(), sha256: v.string(), size: v.number() }));

const denoSchema = v.object({
  format_version: v.optional(v.number(), 1),
  name: text,
  kind: v.picklist(["chat", "custom"]),
  model_path: v.string(),
  package_version: v.string(),
  deno_version: v.string(),
  deno: text,
  config: text,
  permissions: v.unknown(),
  files,
  lock: text,
});

const pythonSchema = v.object({
  loader_module: text,
  streamable: v.nullish(v.boolean()),
  config: v.nullish(v.unknown()),
  artifacts: v.nullish(v.record(v.string(), v.object({ path: v.string(), uri: v.nullish(v.string(), "") }))),
});

const schema = v.object({
  artifact_path: text,
  flavors: v.record(v.string(), v.unknown()),
  metadata: v.nullish(v.unknown()),
  mlflow_version: text,
  model_id: text,
  model_size_bytes: v.nullish(v.number()),
  model_uuid: text,
  run_id: text,
  saved_input_example_info: v.nullish(v.object({
    artifact_path: v.string(),
    serving_input_path: text,
    params: v.nullish(v.unknown()),
  })),
  signature: v.nullish(v.object({ inputs: text, outputs: text, params: text })),
  utc_time_created: v.nullish(v.unknown()),
});

/**
 * Reads what `MLmodel` says: one of this package's, of any version so far, or of MLflow's own.
 *
 * @param content The file's text.
 * @param where What it belongs to, for errors.
 * @returns What it says. What it says besides is passed over.
 * @throws {ChatModelError} With code `invalid_mlmodel` if it is no such file, or one of a later version of this package.
 */
export function parseMlmodel(content: string, where: string): MlmodelFile {
  let value: unknown;
  try {
    // "core", as times would become dates.
    value = parse(content, { schema: "core" });
  } catch (cause) {
    throw invalid(where, `it is not valid YAML: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const file = checked(schema, value, where, "");
  const { deno_function: ownFlavor, python_function: pythonFlavor } = file.flavors;
  const python = pythonFlavor === undefined || pythonFlavor === null
    ? undefined
    : checked(pythonSchema, pythonFlavor, where, "flavors.python_function.");
  const deno = ownFlavor === undefined ? undefined : readFlavor(ownFlavor, python?.streamable ?? true, where);
  const example = file.saved_input_example_info;
  const { signature } = file;
  return {
    flavors: Object.keys(file.flavors),
    artifacts: Object.fromEntries(Object.entries(python?.artifacts ?? {})),
    metadata: file.metadata == null ? {} : checkConfig(file.metadata, `metadata of "${where}"`),
    ...(deno !== undefined && { deno }),
    ...(file.artifact_path != null && { artifactPath: file.artifact_path }),
    ...(python?.loader_module != null && { loaderModule: python.loader_module }),
    ...(python?.streamable != null && { streamable: python.streamable }),
    ...(python?.config != null && { config: checkConfig(python.config, `configuration of "${where}"`) }),
    ...(file.mlflow_version != null && { mlflowVersion: file.mlflow_version }),
    ...(file.model_id != null && { modelId: file.model_id }),
    ...(file.model_size_bytes != null && { modelSizeBytes: file.model_size_bytes }),
    ...(file.model_uuid != null && { modelUuid: file.model_uuid }),
    ...(file.run_id != null && { runId: file.run_id }),
    ...(example != null && {
      inputExample: {
        path: example.artifact_path,
        hasParams: String(example.params) === "true",
        ...(example.serving_input_path != null && { servingPath: example.serving_input_path }),
      },
    }),
    ...(signature != null && {
      signature: {
        inputs: signature.inputs ?? null,
        outputs: signature.outputs ?? null,
        params: signature.params ?? null,
      },
    }),
    ...(file.utc_time_created != null && { utcTimeCreated: String(file.utc_time_created) }),
  };
}

function readFlavor(value: unknown, streamable: boolean, where: string): DenoFlavor {
  // First, as a later version may have anything else.
  const version: unknown = typeof value === "object" && value !== null && "format_version" in value
    ? value.format_version
    : 1;
  if (typeof version === "number" && version > FORMAT_VERSION) {
    throw invalid(
      where,
      `it was saved by a later version of this package (format ${version}; known up to ${FORMAT_VERSION}). Update @chatmodel/chat-model`,
    );
  }
  const flavor = checked(denoSchema, value, where, "flavors.deno_function.");
  return {
    kind: flavor.kind,
    modelPath: flavor.model_path,
    streamable,
    packageVersion: flavor.package_version,
    denoVersion: flavor.deno_version,
    permissions: parsePermissions(flavor.permissions ?? {}),
    files: flavor.files,
    ...(flavor.name != null && { name: flavor.name }),
    ...(flavor.deno != null && { denoPath: flavor.deno }),
    ...(flavor.config != null && { config: flavor.config }),
    ...(flavor.lock != null && { lock: flavor.lock }),
  };
}

function checked<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  where: string,
  path: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => `"${path}${v.getDotPath(issue) ?? ""}": ${issue.message}`);
  throw invalid(where, issues.join("; "));
}

function invalid(where: string, why: string, cause?: unknown): ChatModelError {
  return new ChatModelError(`Cannot read the MLmodel file of "${where}": ${why}`, {
    code: "invalid_mlmodel",
    ...(cause !== undefined && { cause }),
  });
}
