import { toFileUrl } from "@std/path";
import { parse } from "@std/yaml";
import { type ArtifactRepository, TrackingError } from "../tracking/mod.ts";
import { openLocalArtifacts } from "../tracking/artifacts/mod.ts";
import { parseModelUri } from "./model_uri.ts";
import { type ResolvedModel, resolveModelUri, type ResolveOptions } from "./resolve.ts";
import { invalid } from "./_rules.ts";

/** Name of the file that makes a folder a model. */
const MLMODEL = "MLmodel";

/**
 * Finds what is to be registered, and makes sure that it is a model.
 *
 * Places of files are looked at: `createModelVersion` takes any text for one, and loads nothing. Paths become absolute,
 * as whoever loads the model does it from another folder.
 *
 * @param action What fails, such as `register model "m"`.
 * @param uri The model, as `resolveModelUri` takes it.
 * @param options Where to look.
 * @returns What was found.
 * @throws {TrackingError} If there is none.
 */
export async function findSource(action: string, uri: string, options: ResolveOptions): Promise<ResolvedModel> {
  const { kind } = parseModelUri(uri);
  const found = kind === "artifacts" ? await placeOf(action, uri) : await resolveModelUri(uri, options);
  const { artifactUri, modelId } = found;
  // A logged model is one by itself, and a version was looked at when it was registered.
  if (modelId !== undefined || (kind !== "artifacts" && kind !== "run")) return found;
  if (isLocal(artifactUri)) await checkModel(action, openLocalArtifacts(artifactUri));
  // What neither kind of store reads may be read by MLflow.
  else if (/^mlflow-artifacts:/i.test(artifactUri)) await checkModel(action, options.store.artifacts(artifactUri));
  return found;
}

/** A folder of this machine by its absolute path, or its URI if it was given as one. */
async function placeOf(action: string, uri: string): Promise<ResolvedModel> {
  if (!isLocal(uri)) return { artifactUri: uri };
  const { localPath: path = uri } = openLocalArtifacts(uri);
  let isFile: boolean;
  try {
    ({ isFile } = await Deno.stat(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) {
      throw new TrackingError(
        "RESOURCE_DOES_NOT_EXIST",
        `Cannot ${action}: there is no such folder. Models of a store are written models:/m-… or runs:/ID/PATH`,
        { cause },
      );
    }
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new TrackingError(
      "PERMISSION_DENIED",
      `Cannot ${action}: the permission to read "${path}" was not granted. Run with --allow-read for it`,
      { cause },
    );
  }
  if (isFile) {
    throw invalid(action, "it is a file, not a saved model's folder. Save it by saveModel(), or log it by logModel()");
  }
  return { artifactUri: /^file:/i.test(uri) ? toFileUrl(path).href : path };
}

async function checkModel(action: string, repository: ArtifactRepository): Promise<void> {
  let text: string;
  try {
    text = await new Response(await repository.get(MLMODEL)).text();
  } catch (cause) {
    if (!(cause instanceof TrackingError) || cause.errorCode !== "RESOURCE_DOES_NOT_EXIST") throw cause;
    throw new TrackingError(
      "RESOURCE_DOES_NOT_EXIST",
      `Cannot ${action}: it has no file "${MLMODEL}". Name a folder that saveModel() or logModel() wrote`,
      { cause },
    );
  }
  if (!hasFlavors(text)) throw invalid(action, `its file "${MLMODEL}" describes no model. Save it anew`);
}

function hasFlavors(text: string): boolean {
  try {
    const file: unknown = parse(text);
    return typeof file === "object" && file !== null && "flavors" in file;
  } catch {
    return false; // Whatever is wrong in it, it is no model's.
  }
}

/** A path, also one that begins with a drive's letter, or a `file:` URI. */
function isLocal(uri: string): boolean {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(uri) ?? [];
  return scheme === undefined || scheme.toLowerCase() === "file";
}
