import { basename, extname, resolve } from "@std/path";
import { stringify } from "@std/yaml";
import type { ArtifactRepository, TransferOptions } from "../artifact_repository.ts";
import { TrackingError } from "../errors.ts";
import { type Target, targetOf, type TargetOptions } from "./_target.ts";

/** Options for logging what lies on this machine. */
export interface LogArtifactOptions extends TargetOptions, TransferOptions {
  /** Folder among the run's artifacts to put it in. @default {""} */
  readonly path?: string;
}

/** Options for logging what the program holds. */
export type LogContentOptions = TargetOptions & TransferOptions;

/**
 * Logs a file of this machine, or a folder with all that is in it, under its own name.
 *
 * @param localPath The file or folder.
 * @param options Where to, and which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If there is no such file, or if a path leads out of the run's artifacts.
 */
export async function logArtifact(localPath: string, options: LogArtifactOptions = {}): Promise<void> {
  const { path = "" } = options;
  const name = basename(resolve(localPath));
  await (await artifactsOf(await targetOf(options))).upload(localPath, path === "" ? name : `${path}/${name}`, options);
}

/**
 * Logs what is in a folder of this machine.
 *
 * @param localFolder The folder.
 * @param options Where to, and which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} As {@linkcode logArtifact} does.
 */
export async function logArtifacts(localFolder: string, options: LogArtifactOptions = {}): Promise<void> {
  await (await artifactsOf(await targetOf(options))).upload(localFolder, options.path ?? "", options);
}

/**
 * Logs text as a file.
 *
 * @param text The text.
 * @param file Path of the file among the run's artifacts, such as `prompts/system.txt`.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If the path leads out of the run's artifacts.
 */
export async function logText(text: string, file: string, options: LogContentOptions = {}): Promise<void> {
  await putText(await artifactsOf(await targetOf(options)), { file, text, options });
}

/**
 * Logs an object as a file: as YAML if its name ends in `.yaml` or `.yml`, else as JSON.
 *
 * @param object The object.
 * @param file Path of the file among the run's artifacts, such as `config.yaml`.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If the object has no such form, or if the path leads out of the run's artifacts.
 */
export async function logDict(object: object, file: string, options: LogContentOptions = {}): Promise<void> {
  const isYaml = [".yaml", ".yml"].includes(extname(file).toLowerCase());
  let text: string;
  try {
    text = isYaml ? stringify(object) : JSON.stringify(object, null, 2);
  } catch (cause) {
    const form = isYaml ? "YAML" : "JSON";
    const message =
      `Cannot log "${file}": the object has no ${form} form. Leave out what is neither plain data nor text`;
    throw new TrackingError("INVALID_PARAMETER_VALUE", message, { cause });
  }
  await logText(text, file, options);
}

/** The artifacts of a run. Those of an active one are found without asking the store. */
export async function artifactsOf({ store, runId, run }: Target): Promise<ArtifactRepository> {
  return store.artifacts((run?.info ?? (await store.getRun(runId)).info).artifactUri);
}

/** Stores text as a file. */
export async function putText(
  artifacts: ArtifactRepository,
  content: { readonly file: string; readonly text: string; readonly options: TransferOptions },
): Promise<void> {
  await artifacts.put(content.file, new TextEncoder().encode(content.text), content.options);
}
