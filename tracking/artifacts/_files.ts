import { join } from "@std/path";
import { ChatModelError } from "../../types/mod.ts";
import type { FileInfo } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import { checkArtifactPath, isTemporaryName, joinArtifactPath, temporaryName } from "./_path.ts";

/** A file of this machine that is to be stored. */
export interface LocalFile {
  /** Where it is. */
  readonly localPath: string;
  /** Path it gets among the artifacts. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
}

/**
 * Finds what an upload of a file or folder has to store. Links are followed, as MLflow does; empty folders are no
 * artifacts.
 *
 * @param localPath The file or folder.
 * @param path The path it gets.
 * @returns The files, by path.
 * @throws {TrackingError} `RESOURCE_DOES_NOT_EXIST` if there is none, `INVALID_PARAMETER_VALUE` if a name cannot be stored.
 */
export async function filesToUpload(localPath: string, path: string): Promise<readonly LocalFile[]> {
  checkArtifactPath(path, { allowRoot: true, forWriting: true });
  try {
    const { isFile, isDirectory, size } = await Deno.stat(localPath);
    if (isFile) {
      checkArtifactPath(path, { forWriting: true });
      return [{ localPath, path, size }];
    }
    if (!isDirectory) throw new TrackingError("INVALID_PARAMETER_VALUE", `Cannot upload "${localPath}": it is no file`);
    const files: LocalFile[] = [];
    await collect(files, localPath, path, [await Deno.realPath(localPath)]);
    return files.sort((a, b) => a.path < b.path ? -1 : 1);
  } catch (error) {
    throw errorOfFiles(`upload "${localPath}"`, error);
  }
}

async function collect(files: LocalFile[], folder: string, path: string, parents: readonly string[]): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (isTemporaryName(name)) continue;
    const localPath = join(folder, name);
    const itsPath = joinArtifactPath(path, name);
    checkArtifactPath(itsPath, { forWriting: true });
    const { isFile, isDirectory, size } = await Deno.stat(localPath);
    if (isFile) files.push({ localPath, path: itsPath, size });
    if (!isDirectory) continue;
    const real = await Deno.realPath(localPath);
    if (parents.includes(real)) {
      throw new TrackingError(
        "INVALID_PARAMETER_VALUE",
        `Cannot upload "${localPath}": it is a link to a folder that it lies in. Remove the link`,
      );
    }
    await collect(files, localPath, itsPath, [...parents, real]);
  }
}

/**
 * Writes a file: complete, or not there. It comes into being under another name in the same folder.
 *
 * @param localPath The file.
 * @param content Its content; cancelled if it cannot be written.
 * @param options `signal` gives up, `action` is what fails, as it stands behind "Cannot".
 */
export async function writeFile(
  localPath: string,
  content: ReadableStream<Uint8Array>,
  options: { readonly folder: string; readonly action: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { folder, action, signal } = options;
  const temporary = join(folder, temporaryName());
  try {
    await writeNew(temporary, content, signal);
    await Deno.rename(temporary, localPath);
  } catch (error) {
    await Deno.remove(temporary).catch((failure) => {
      if (!(failure instanceof Deno.errors.NotFound)) throw errorOfFiles(`${action} and remove what is half`, failure);
    });
    signal?.throwIfAborted();
    throw errorOfFiles(action, error);
  }
}

async function writeNew(
  path: string,
  content: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let file: Deno.FsFile;
  try {
    signal?.throwIfAborted();
    file = await Deno.open(path, { write: true, createNew: true });
  } catch (error) {
    await content.cancel(error);
    throw error;
  }
  await content.pipeTo(file.writable, signal && { signal });
}

/** What is in a folder of this machine, whatever it is called; `undefined` if there is no such folder. */
export async function readFolder(localPath: string): Promise<readonly Deno.DirEntry[] | undefined> {
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(localPath)) entries.push(entry);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
  return entries;
}

/**
 * Brings files to this machine, one after the other.
 *
 * @param files What to bring; each path is checked, as a server may say anything.
 * @param target The folder they come to, and the path among the artifacts that it stands for.
 * @param bring Brings one of them.
 */
export async function downloadFiles(
  files: readonly FileInfo[],
  target: { readonly path: string; readonly localPath: string },
  bring: (file: FileInfo, localPath: string) => Promise<void>,
): Promise<void> {
  const { path, localPath } = target;
  const start = path === "" ? "" : `${path}/`;
  for (const file of files) {
    checkArtifactPath(file.path);
    if (!file.path.startsWith(start)) {
      throw new TrackingError("DATA_LOSS", `Cannot download "${path}": the list names "${file.path}", outside of it`);
    }
  }
  await makeFolder(localPath, `download "${path}"`);
  for (const file of files) await bring(file, join(localPath, ...file.path.slice(start.length).split("/")));
}

/** Makes a folder, and those that it lies in. */
export async function makeFolder(localPath: string, action: string): Promise<void> {
  try {
    await Deno.mkdir(localPath, { recursive: true });
  } catch (error) {
    throw errorOfFiles(action, error);
  }
}

/** The error that stands for what the file system said; errors of this package and aborts as they are. */
export function errorOfFiles(action: string, error: unknown): unknown {
  if (ChatModelError.isInstance(error) || error instanceof DOMException) return error;
  const message = `Cannot ${action}: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof Deno.errors.NotFound) {
    return new TrackingError("RESOURCE_DOES_NOT_EXIST", message, { cause: error });
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new TrackingError("PERMISSION_DENIED", message, { cause: error });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new TrackingError("PERMISSION_DENIED", `${message}. Check who owns it`, { cause: error });
  }
  if (
    error instanceof Deno.errors.IsADirectory || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.AlreadyExists
  ) {
    return new TrackingError("INVALID_PARAMETER_VALUE", `${message}. A file and a folder cannot have one name`, {
      cause: error,
    });
  }
  return new TrackingError("INTERNAL_ERROR", message, { cause: error });
}
