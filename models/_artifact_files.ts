import { basename, dirname, fromFileUrl, join, resolve } from "@std/path";
import { ChatModelError, UpstreamError } from "../types/mod.ts";
import { packagingError, systemReason } from "./_packaging_error.ts";

/** Folder of a model's artifacts, within the model's folder. */
export const ARTIFACT_FOLDER = "artifacts";

/** Where an artifact lies, as the MLmodel file has it. */
export interface ArtifactEntry {
  /** Path from the model's folder, with `/`, such as `artifacts/prompt.txt`. */
  readonly path: string;
  /** What the author gave, without a password or signature in it. */
  readonly uri: string;
}

/** Options for {@linkcode collectArtifacts}. */
export interface CollectArtifactsOptions {
  /**
   * Brings what a URI of a store names (`runs:/…`, `models:/…`, `mlflow-artifacts:/…`) to this machine.
   *
   * @param uri The URI, as given.
   * @param destination The file or folder that it becomes. The folder above is there.
   */
  readonly resolve: (uri: string, destination: string) => Promise<void>;
  /** Gives up. What is written so far stays. */
  readonly signal?: AbortSignal | undefined;
}

interface Artifact {
  readonly uri: string;
  readonly keys: string[];
  readonly name: string;
}

/**
 * Copies the files and folders that a model needs into its folder, each below `artifacts/` under its own name. Where
 * two have one name, in whichever case, each gets a numbered folder of its own, as MLflow does it. One URI under
 * several keys is copied once.
 *
 * @param artifacts For each key a path, from the working directory, or a URI: `file:`, `http:`, `https:`, or of a store.
 * @param folder An existing folder.
 * @param options Options.
 * @returns For each key where it lies.
 * @throws {ChatModelError} With code `invalid_model_path` if there is no such file, `upstream_error` if an address does
 * not answer with it.
 */
export async function collectArtifacts(
  artifacts: Readonly<Record<string, string>>,
  folder: string,
  options: CollectArtifactsOptions,
): Promise<Record<string, ArtifactEntry>> {
  const byUri = new Map<string, Artifact>();
  for (const [key, uri] of Object.entries(artifacts)) {
    const known = byUri.get(uri);
    if (known === undefined) byUri.set(uri, { uri, keys: [key], name: artifactName(key, uri) });
    else known.keys.push(key);
  }
  const entries: [string, ArtifactEntry][] = [];
  for (const { artifact, place } of placesOf([...byUri.values()])) {
    options.signal?.throwIfAborted();
    const destination = join(folder, place);
    await Deno.mkdir(dirname(destination), { recursive: true });
    await bring(artifact, { destination, folder, options });
    for (const key of artifact.keys) entries.push([key, { path: place, uri: withoutSecrets(artifact.uri) }]);
  }
  return Object.fromEntries(entries);
}

/** Names that more than one has get a number before them: the first that is no artifact's name. */
function placesOf(artifacts: readonly Artifact[]): { readonly artifact: Artifact; readonly place: string }[] {
  const counts = new Map<string, number>();
  for (const { name } of artifacts) counts.set(fold(name), (counts.get(fold(name)) ?? 0) + 1);
  let number = 0;
  return artifacts.map((artifact) => {
    if (counts.get(fold(artifact.name)) === 1) return { artifact, place: `${ARTIFACT_FOLDER}/${artifact.name}` };
    while (counts.get(String(number)) === 1) number++;
    return { artifact, place: `${ARTIFACT_FOLDER}/${number++}/${artifact.name}` };
  });
}

/** Names that some file systems take for one. */
function fold(name: string): string {
  return name.normalize().toLowerCase();
}

/** The scheme of a URI, in lower case; `undefined` for a path, such as `C:\prompts`. */
function schemeOf(uri: string): string | undefined {
  return /^([a-z][a-z\d+.-]+):/i.exec(uri)?.[1]?.toLowerCase();
}

function artifactName(key: string, uri: string): string {
  const scheme = schemeOf(uri);
  const path = scheme === undefined ? resolve(uri) : scheme === "file" ? fromFileUrl(uri) : uriPath(uri, scheme);
  const name = basename(path).replace(/[\p{Cc}<>:"/\\|?*]/gu, "_");
  if (name !== "" && !/^\.+$/.test(name)) return name;
  const fromKey = key.replace(/[\p{Cc}<>:"/\\|?*]/gu, "_");
  return fromKey === "" || /^\.+$/.test(fromKey) ? "artifact" : fromKey;
}

/** The part of a URI that names a file; empty where it names all that a run or a model has. */
function uriPath(uri: string, scheme: string): string {
  const path = uri.slice(scheme.length + 1).replace(/[?#].*$/s, "").replace(/^\/\/[^/]*/, "");
  const parts = path.split("/").filter((part) => part !== "");
  if (scheme === "runs") parts.shift();
  if (scheme === "models") parts.splice(0, /^m-|@/.test(parts[0] ?? "") ? 1 : 2);
  const last = parts.at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last; // A lone per cent sign is part of the name.
  }
}

function withoutSecrets(uri: string): string {
  const scheme = schemeOf(uri);
  if (scheme !== "http" && scheme !== "https") return uri;
  const url = new URL(uri);
  const secret = [...url.searchParams.keys()].some((name) => /sig|token|key|secret|password|credential/i.test(name));
  if (url.username === "" && url.password === "" && !secret) return uri;
  url.username = "";
  url.password = "";
  if (secret) url.search = "";
  return url.href;
}

async function bring(artifact: Artifact, to: {
  readonly destination: string;
  readonly folder: string;
  readonly options: CollectArtifactsOptions;
}): Promise<void> {
  const { uri, keys } = artifact;
  const { destination, folder, options } = to;
  const scheme = schemeOf(uri);
  if (scheme === "http" || scheme === "https") return await fetchFile(artifact, destination, options.signal);
  if (scheme !== undefined && scheme !== "file") return await options.resolve(uri, destination);
  const path = scheme === "file" ? fromFileUrl(uri) : resolve(uri);
  try {
    await copyTree(path, destination, { exclude: resolve(folder), signal: options.signal, above: [] });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (ChatModelError.isInstance(error)) throw error;
    const missing = error instanceof Deno.errors.NotFound;
    const reason = missing ? "there is no such file or folder" : systemReason(error);
    throw packagingError(
      error instanceof Deno.errors.NotCapable ? "permission_denied" : "invalid_model_path",
      `Cannot copy artifact "${keys[0]}" from "${uri}": ${reason}. ${
        missing ? "Check the path: it is taken from the working directory" : "Check who may read it"
      }`,
      error,
    );
  }
}

async function copyTree(from: string, to: string, options: {
  readonly exclude: string;
  readonly signal: AbortSignal | undefined;
  readonly above: readonly string[];
}): Promise<void> {
  options.signal?.throwIfAborted();
  if (from === options.exclude) return;
  const { isDirectory } = await Deno.stat(from);
  if (!isDirectory) return await Deno.copyFile(from, to);
  const real = await Deno.realPath(from);
  if (options.above.includes(real)) {
    throw packagingError("invalid_model_path", `Cannot copy "${from}": it is a link to a folder that it lies in`);
  }
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await copyTree(join(from, name), join(to, name), { ...options, above: [...options.above, real] });
  }
}

async function fetchFile(artifact: Artifact, destination: string, signal: AbortSignal | undefined): Promise<void> {
  const source = `artifact "${artifact.keys[0]}" from "${withoutSecrets(artifact.uri)}"`;
  try {
    const response = await fetch(artifact.uri, { ...(signal !== undefined && { signal }) });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new UpstreamError(`Cannot fetch ${source}: the server answered ${response.status}. Check the address`);
    }
    const file = await Deno.open(destination, { write: true, createNew: true });
    // The signal goes to the pipe too: fetch's own may be deaf by then.
    await response.body.pipeTo(file.writable, { ...(signal !== undefined && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    if (ChatModelError.isInstance(error)) throw error;
    throw new UpstreamError(`Cannot fetch ${source}: ${systemReason(error)}. Check the address and --allow-net`, {
      cause: error,
    });
  }
}
