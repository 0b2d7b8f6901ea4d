import { join } from "@std/path";
import type { ArtifactRepository, TransferOptions } from "../tracking/mod.ts";

/**
 * Brings the files of a model to this machine, unless they are there already: they are kept under the SHA-256 of their
 * `MLmodel`, which names the SHA-256 of all others.
 *
 * @param repository The model's files.
 * @param options Cancelling and progress.
 * @returns The folder, complete.
 */
export async function fetchModel(repository: ArtifactRepository, options: TransferOptions = {}): Promise<string> {
  if (repository.localPath !== undefined) return repository.localPath;
  const mlmodel = await new Response(await repository.get("MLmodel", options)).bytes();
  const cache = cacheFolder();
  const folder = join(cache, await sha256(mlmodel));
  if (await isFolder(folder)) return folder;
  await Deno.mkdir(cache, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: cache, prefix: ".download-" });
  try {
    await repository.download("", temporary, options);
    await moveUnlessThere(temporary, folder);
  } catch (error) {
    await Deno.remove(temporary, { recursive: true });
    throw error;
  }
  return folder;
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
