import { dirname, join } from "@std/path";
import type { ArtifactRepository, TransferOptions } from "../tracking/mod.ts";
import { MLMODEL } from "./mlmodel_file.ts";

/** The files of a model on this machine. */
export interface FetchedModel {
  /** The folder, complete. */
  readonly path: string;
  /** Whether it is a download of before. */
  readonly isKept: boolean;
}

/**
 * Brings the files of a model to this machine, unless they are there already: they are kept under the SHA-256 of their
 * `MLmodel`, which names the SHA-256 of all others.
 *
 * @param repository The model's files.
 * @param options Cancelling and progress.
 * @returns Where they are.
 */
export async function fetchModel(repository: ArtifactRepository, options: TransferOptions = {}): Promise<FetchedModel> {
  if (repository.localPath !== undefined) return { path: repository.localPath, isKept: false };
  const cache = cacheFolder();
  const wanted = await sha256(await new Response(await repository.get(MLMODEL, options)).bytes());
  const kept = join(cache, wanted);
  // Others may write where downloads are kept: what is there counts only as far as the hashes reach.
  if (await hashOf(kept) === wanted) return { path: kept, isKept: true };
  await discardModel(kept);
  await Deno.mkdir(cache, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: cache, prefix: DOWNLOAD });
  try {
    await repository.download("", temporary, options);
    // It may have been replaced since it was looked at.
    const path = join(cache, await hashOf(temporary) ?? wanted);
    await moveUnlessThere(temporary, path);
    return { path, isKept: false };
  } catch (error) {
    await Deno.remove(temporary, { recursive: true });
    throw error;
  }
}

/**
 * Forgets a download: it is not what it should be.
 *
 * @param path Its folder.
 */
export async function discardModel(path: string): Promise<void> {
  const aside = join(dirname(path), `${DOWNLOAD}${crypto.randomUUID()}`);
  try {
    // In one step, so that no one finds half of it.
    await Deno.rename(path, aside);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  await Deno.remove(aside, { recursive: true });
}

/** What the names of folders begin with that are no downloads yet, or no more. */
const DOWNLOAD = ".download-";

/** SHA-256 of the `MLmodel` in a folder; `undefined` if there is none. */
async function hashOf(folder: string): Promise<string | undefined> {
  try {
    return await sha256(await Deno.readFile(join(folder, MLMODEL)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Where downloads are kept: `CHATMODEL_CACHE`, else the user's cache, else the system's folder for temporary files. */
function cacheFolder(): string {
  const chosen = readVariable("CHATMODEL_CACHE");
  if (chosen) return join(chosen, "models");
  const cache = readVariable("XDG_CACHE_HOME") ?? under(readVariable("HOME"), ".cache") ??
    readVariable("LOCALAPPDATA") ?? readVariable("TMPDIR") ?? "/tmp";
  return join(cache, "chatmodel", "models");
}

function under(folder: string | undefined, name: string): string | undefined {
  return folder ? join(folder, name) : undefined;
}

function readVariable(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable) || undefined;
}

/** Another process may have brought the same model meanwhile: its copy is as good. */
async function moveUnlessThere(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!await isFolder(to)) throw error;
    await Deno.remove(from, { recursive: true });
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
