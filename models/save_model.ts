import { fromFileUrl, join } from "@std/path";
import { CustomModel } from "../custom_model.ts";
import { implementedMethods } from "../chat_model.ts";
import { loadChatModel } from "../loaded_chat_model.ts";
import { loadCustomModel } from "../loaded_custom_model.ts";
import { ModelConfig, type ModelConfigValues } from "../model_config.ts";
import { accumulate } from "../streaming/mod.ts";
import { ChatModelError, ValidationError } from "../types/mod.ts";
import { collectArtifacts } from "./_artifact_files.ts";
import { checkOptions, type OptionNames } from "./_check_options.ts";
import { abortSignal, jsonObject, oneOf, texts, textsByName } from "./_option_checks.ts";
import { checkConfig, readConfigFile } from "./config_layers.ts";
import { addPythonFiles } from "./_python_files.ts";
import {
  chatExample,
  customExample,
  EXAMPLE_FILE,
  SERVING_FILE,
  writeChatExample,
  writeCustomExample,
} from "./_input_example.ts";
import { type DenoFlavor, formatMlmodel, MLFLOW_VERSION, MLMODEL, type MlmodelFile } from "./mlmodel_file.ts";
import { importModelFile, modelFileName } from "./model_file.ts";
import { type ModelInfo, toModelInfo } from "./model_info.ts";
import { DEFAULT_PERMISSIONS, type ModelPermissions, parsePermissions } from "./permissions.ts";
import { CHAT_MODEL_SIGNATURE, inferSignature, type ModelSignature, pythonJson } from "../signature/mod.ts";
import { fetchArtifact } from "./_fetch_artifact.ts";
import { hashFile, type SourceFile } from "./_source_files.ts";
import { inAuthorsPaths } from "./_authors_paths.ts";
import { requestDeno } from "./_module_graph.ts";
import { checkModelFile, packageSources } from "./_sources.ts";
import { writeFolder } from "./_write_folder.ts";

/** Where the answer to the input example is kept, if the model was called. */
const OUTPUT_FILE = "output_example.json";

/** MLflow's word for what a chat model does. */
const CHAT_TASK = "agent/v1/chat";

/** Options for {@linkcode saveModel}. */
export interface SaveModelOptions {
  /** Path of the file whose default export (or `setModel`) is the model, a class or an instance. */
  readonly model: string;
  /**
   * A request to go with the model, its messages alone, or `[request, params]`: a request or its messages, and
   * parameters that are put into it, in place of its own of the same name. For a custom model what it takes, or
   * `[input, params]`: its signature follows from that. Default: for a chat model the one of MLflow's `save_model`.
   */
  readonly inputExample?: unknown;
  /** Files and folders to go with the model, by name: paths or URIs. The model finds them in `context.artifacts`. */
  readonly artifacts?: { readonly [name: string]: string };
  /** Configuration, or the path of a YAML or JSON file of it. Secrets are written as `"env:NAME"`. */
  readonly modelConfig?: ModelConfigValues | string;
  /** Files and folders that the model's code reads by their place beside it. */
  readonly codePaths?: readonly string[];
  /** What to note for people and tools. A chat model's `task` is added. */
  readonly metadata?: ModelConfigValues;
  /** What the model's code may do when MLflow's Python runs it. @default {{ net: true, env: true }} */
  readonly permissions?: ModelPermissions;
  /**
   * Calls the model once with the input example, and keeps the answer as `output_example.json`: `"predict"` in one
   * piece, `"stream"` as a stream (a custom model answers in one piece either way, and needs an input example). Default:
   * the model is not called.
   */
  readonly validate?: "predict" | "stream";
  /** Gives up; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** The options of {@linkcode saveModel}. */
export const SAVE_OPTIONS: OptionNames<SaveModelOptions> = {
  model: true,
  inputExample: true,
  artifacts: textsByName,
  modelConfig: true,
  codePaths: texts,
  metadata: jsonObject,
  permissions: true,
  validate: oneOf("predict", "stream"),
  signal: abortSignal,
};

/** What a model is told of itself in the folder that is written. */
export interface ModelIdentity {
  /** URI that it will be found under. */
  readonly modelUri: string;
  /** Name that it is logged under. Default: the file's, without its ending. */
  readonly name?: string;
  /** Where it is logged to. */
  readonly artifactPath?: string;
  /** Id of the logged model. */
  readonly modelId?: string;
  /** Run that makes it. */
  readonly runId?: string;
}

/** A model as it was saved. */
export interface SavedModelInfo extends ModelInfo {
  /** What may not work on another machine. */
  readonly warnings: readonly string[];
}

/**
 * Saves a model as a folder that holds all it needs, in MLflow's format: its code with all local imports, signature,
 * example, configuration, artifacts, and a loader by which MLflow's Python runs it.
 *
 * The model's file is imported, to see what it is. The model is not called unless `validate` says so.
 *
 * @param path The folder: absent or empty. It is there as a whole or not at all.
 * @param options The model, and what goes with it.
 * @returns What was saved.
 * @throws {ChatModelError} With code `invalid_model_file`, `invalid_model_path`, `invalid_model_config`,
 * `invalid_input_example`, `folder_not_empty` or `permission_denied` (it runs `deno info`, which needs `--allow-run`).
 * What the model throws when it is validated is handed on.
 * @throws {ValidationError} If the input example is no request, or an option is none or has a value that cannot be.
 */
export async function saveModel(path: string, options: SaveModelOptions): Promise<SavedModelInfo> {
  if (typeof path !== "string" || path === "") {
    throw new ValidationError("Cannot save model", [{
      path: "path",
      message: 'must be the path of the folder. Write saveModel("folder", { model: "model.ts" })',
    }]);
  }
  const given = checkOptions("save model", options, SAVE_OPTIONS);
  await checkModel(given);
  const { signal } = given;
  return await writeFolder(path, (folder) => writeModel(folder, given, { modelUri: path }), { signal });
}

/** What can be told of a model before anything is written. */
interface CheckedModel {
  readonly config: ModelConfigValues | undefined;
  readonly permissions: ModelPermissions;
  readonly metadata: ModelConfigValues;
}

/**
 * Checks what can be checked before anything is written: whatever is refused here leaves no trace.
 *
 * @throws {ChatModelError} As {@linkcode saveModel}.
 */
export async function checkModel(options: SaveModelOptions): Promise<CheckedModel> {
  const { model, metadata = {}, modelConfig, permissions } = options;
  if (typeof model !== "string") {
    throw new ChatModelError(
      "Cannot save model: a model is saved as code. Name the file that exports it as default, not the model itself",
      { code: "invalid_model_file" },
    );
  }
  const checked = {
    config: await readConfig(modelConfig),
    permissions: permissions === undefined ? DEFAULT_PERMISSIONS : parsePermissions(permissions),
    metadata: checkConfig(metadata, "metadata"),
  };
  await checkModelFile(model);
  await requestDeno(`read the imports of "${model}"`);
  return checked;
}

/** Writes a model into an empty folder. */
export async function writeModel(
  folder: string,
  options: SaveModelOptions,
  identity: ModelIdentity,
): Promise<SavedModelInfo> {
  const { signal } = options;
  const { config, permissions, metadata } = await checkModel(options);
  const sources = await packageSources(options.model, folder, { codePaths: options.codePaths ?? [], signal });
  const artifacts = await collectArtifacts(options.artifacts ?? {}, folder, {
    resolve: (uri, destination) => fetchArtifact(uri, destination, signal),
    signal,
  });
  const content = await inAuthorsPaths(
    () => writeContent(folder, sources.modelPath, { options, config, artifacts }),
    { folder, origins: sources.origins },
  );
  await addPythonFiles(folder);
  const files = await hashFolder(folder, signal);
  const { modelUri, name = modelFileName(options.model), ...about } = identity;
  const deno: DenoFlavor = {
    name,
    kind: content.kind,
    streamable: content.streamable,
    modelPath: sources.modelPath,
    packageVersion: sources.packageVersion,
    denoVersion: sources.denoVersion,
    denoPath: Deno.execPath(),
    permissions,
    files,
    ...checkout(),
    ...(sources.lock !== undefined && { lock: sources.lock }),
  };
  const file: MlmodelFile & { readonly deno: DenoFlavor } = {
    ...about,
    deno,
    flavors: ["deno_function", "python_function"],
    streamable: content.streamable,
    artifacts,
    mlflowVersion: MLFLOW_VERSION,
    metadata: { ...(content.kind === "chat" && { task: CHAT_TASK }), ...metadata },
    modelSizeBytes: files.reduce((sum, { size }) => sum + size, 0),
    modelUuid: identity.modelId ?? crypto.randomUUID().replaceAll("-", ""),
    utcTimeCreated: `${new Date().toISOString().replace("T", " ").slice(0, -1)}000`,
    ...(config !== undefined && { config }),
    ...(content.signature !== undefined && { signature: content.signature }),
    ...(content.hasExample && {
      inputExample: { path: EXAMPLE_FILE, servingPath: SERVING_FILE, hasParams: content.hasParams },
    }),
  };
  await Deno.writeTextFile(join(folder, MLMODEL), formatMlmodel(file));
  return { ...toModelInfo(modelUri, file), warnings: sources.warnings };
}

interface Content {
  readonly kind: "chat" | "custom";
  readonly streamable: boolean;
  readonly signature?: ModelSignature;
  readonly hasExample: boolean;
  readonly hasParams: boolean;
}

interface ContentOptions {
  readonly options: SaveModelOptions;
  readonly config: ModelConfigValues | undefined;
  readonly artifacts: { readonly [name: string]: { readonly path: string } };
}

/** Writes the example, and the answer to it if it is wanted, having seen what the model is. */
async function writeContent(folder: string, modelPath: string, content: ContentOptions): Promise<Content> {
  const { options: { inputExample, validate, signal } } = content;
  // The copy rather than the author's file: what is saved is what is looked at, and a file that was changed since it
  // was imported before is seen as it is now.
  const model = await importModelFile(join(folder, modelPath), { shownAs: content.options.model });
  const callOptions = signal === undefined ? {} : { signal };
  const equipment = {
    modelConfig: new ModelConfig(content.config, content.config && [{ source: "logged", values: content.config }]),
    artifacts: Object.fromEntries(
      Object.entries(content.artifacts).map(([name, { path }]) => [name, join(folder, path)]),
    ),
    ...callOptions,
  };
  if (CustomModel.isInstance(model)) {
    const example = inputExample === undefined ? undefined : customExample(inputExample);
    if (example === undefined) {
      if (validate !== undefined) throw noExample();
      return { kind: "custom", streamable: false, hasExample: false, hasParams: false };
    }
    const { input, params } = example;
    await writeCustomExample(folder, example);
    let output: unknown;
    if (validate !== undefined) {
      const loaded = await loadCustomModel(model, { ...equipment, signature: inferSignature(input, params) });
      output = await loaded.predict(input, params ?? {}, callOptions);
      await Deno.writeTextFile(join(folder, OUTPUT_FILE), pythonJson(output));
    }
    const signature = inferSignature(input, params, output);
    return { kind: "custom", streamable: false, hasExample: true, hasParams: params !== undefined, signature };
  }
  implementedMethods(model);
  const example = chatExample(inputExample);
  await writeChatExample(folder, example);
  if (validate !== undefined) {
    const loaded = await loadChatModel(model, equipment);
    const answer = validate === "predict"
      ? await loaded.predict(example.request, callOptions)
      : await accumulate(loaded.predictStream(example.request, callOptions));
    await Deno.writeTextFile(join(folder, OUTPUT_FILE), pythonJson(answer));
  }
  // One of the two methods follows from the other, so every chat model streams.
  return { kind: "chat", streamable: true, hasExample: true, hasParams: false, signature: CHAT_MODEL_SIGNATURE };
}

function noExample(): ChatModelError {
  return new ChatModelError("Cannot validate a custom model: what it takes is not known. Give an input example", {
    code: "invalid_input_example",
  });
}

async function readConfig(config: ModelConfigValues | string | undefined): Promise<ModelConfigValues | undefined> {
  if (typeof config === "string") return await readConfigFile(config);
  return config === undefined ? undefined : checkConfig(config, "modelConfig");
}

async function hashFolder(folder: string, signal: AbortSignal | undefined): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of (await listFiles(folder, "")).toSorted()) files.push(await hashFile(folder, path, { signal }));
  return files;
}

async function listFiles(folder: string, below: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    if (isDirectory) paths.push(...await listFiles(folder, path));
    else paths.push(path);
  }
  return paths;
}

/** Where this package is a checkout, its `deno.json`: a Python on this machine runs the model with that. */
function checkout(): Pick<DenoFlavor, "config"> {
  const config = new URL("../deno.json", import.meta.url);
  return config.protocol === "file:" ? { config: fromFileUrl(config) } : {};
}
