import { basename, join } from "@std/path";
import type { ArtifactRepository, TransferOptions } from "../artifact_repository.ts";
import type { FileInfo } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import { downloadFiles, errorOfFiles, filesToUpload, makeFolder, readFolder, writeFile } from "./_files.ts";
import { localPathOf, LocalRoot } from "./_local_root.ts";
import { byPath, checkArtifactPath, isTemporaryName, joinArtifactPath } from "./_path.ts";
import { streamOf, trackStream } from "./_streams.ts";

/**
 * Artifacts in a folder of this machine. It is made when the first of them is stored. Links inside of it are followed
 * as long as they do not lead out; those that do are refused, and left out of lists.
 *
 * @param pathOrFileUri A path, or a `file:` URI.
 * @returns The repository.
 * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if it is another kind of URI.
 */
export function openLocalArtifacts(pathOrFileUri: string): ArtifactRepository {
  return new LocalArtifacts(pathOrFileUri);
}

class LocalArtifacts implements ArtifactRepository {
  readonly uri: string;
  readonly localPath: string;
  readonly #root: LocalRoot;

  constructor(uri: string) {
    this.uri = uri;
    this.localPath = localPathOf(uri);
    this.#root = new LocalRoot(this.localPath);
  }

  async list(path = ""): Promise<readonly FileInfo[]> {
    checkArtifactPath(path, { allowRoot: true });
    const files: FileInfo[] = [];
    try {
      const folder = await this.#root.find(path);
      const entries = folder === undefined ? undefined : await readFolder(folder);
      for (const { name } of entries ?? []) {
        const file = isTemporaryName(name) ? undefined : await this.#describe(joinArtifactPath(path, name));
        if (file !== undefined) files.push(file);
      }
    } catch (error) {
      throw errorOfFiles(`list artifacts in "${this.#root.locate(path)}"`, error);
    }
    return files.sort(byPath);
  }

  async listAll(path = ""): Promise<readonly FileInfo[]> {
    checkArtifactPath(path, { allowRoot: true });
    const files: FileInfo[] = [];
    await this.#collect(files, path, []);
    return files.sort(byPath);
  }

  async put(
    path: string,
    content: Uint8Array | ReadableStream<Uint8Array>,
    options: TransferOptions = {},
  ): Promise<void> {
    const source = content instanceof Uint8Array ? streamOf(content) : content;
    const total = content instanceof Uint8Array ? content.length : undefined;
    await this.#store(path, source, { ...options, total });
  }

  async upload(localPath: string, path: string, options: TransferOptions = {}): Promise<void> {
    for (const file of await filesToUpload(localPath, path)) {
      options.signal?.throwIfAborted();
      const { readable } = await openFile(file.localPath, `upload "${file.localPath}"`);
      await this.#store(file.path, readable, { ...options, total: file.size });
    }
  }

  async get(path: string, options: TransferOptions = {}): Promise<ReadableStream<Uint8Array>> {
    checkArtifactPath(path);
    options.signal?.throwIfAborted();
    const found = await this.#root.find(path);
    if (found === undefined) throw this.#missing(path);
    const file = await openFile(found, `read artifact "${path}" in "${this.localPath}"`);
    return trackStream(file.readable, { ...options, path, total: file.size });
  }

  async download(path: string, localPath: string, options: TransferOptions = {}): Promise<void> {
    checkArtifactPath(path, { allowRoot: true });
    options.signal?.throwIfAborted();
    const found = await this.#root.find(path);
    if (found === undefined && path !== "") throw this.#missing(path);
    if (found !== undefined && await isFile(found)) return await this.#copy(path, localPath, options);
    await downloadFiles(
      await this.listAll(path),
      { path, localPath },
      (file, target) => this.#copy(file.path, target, options),
    );
  }

  async #store(
    path: string,
    content: ReadableStream<Uint8Array>,
    options: TransferOptions & { readonly total?: number | undefined },
  ): Promise<void> {
    let folder: string;
    try {
      checkArtifactPath(path, { forWriting: true });
      options.signal?.throwIfAborted();
      folder = await this.#root.makeParent(path);
    } catch (error) {
      await content.cancel(error);
      throw error;
    }
    const { signal } = options;
    await writeFile(join(folder, basename(path)), trackStream(content, { ...options, path }), {
      folder,
      action: `store artifact "${path}" in "${this.localPath}"`,
      signal,
    });
  }

  async #copy(path: string, localPath: string, options: TransferOptions): Promise<void> {
    const action = `download artifact "${path}" to "${localPath}"`;
    const folder = join(localPath, "..");
    await makeFolder(folder, action);
    await writeFile(localPath, await this.get(path, options), { folder, action, signal: options.signal });
  }

  async #collect(files: FileInfo[], path: string, parents: readonly string[]): Promise<void> {
    const real = await this.#root.find(path);
    // A link to a folder that it lies in would be followed for ever.
    if (real === undefined || parents.includes(real)) return;
    for (const file of await this.list(path)) {
      if (file.isDirectory) await this.#collect(files, file.path, [...parents, real]);
      else files.push(file);
    }
  }

  /** What lies somewhere; `undefined` for what is no artifact, such as a link that leads nowhere or out. */
  async #describe(path: string): Promise<FileInfo | undefined> {
    try {
      const found = await this.#root.find(path);
      if (found === undefined) return undefined;
      const { isFile, isDirectory, size } = await Deno.stat(found);
      if (isDirectory) return { path, isDirectory };
      return isFile ? { path, isDirectory, fileSize: size } : undefined;
    } catch (error) {
      const isGone = error instanceof Deno.errors.NotFound;
      const leadsOut = error instanceof TrackingError && error.errorCode === "INVALID_PARAMETER_VALUE";
      if (isGone || leadsOut) return undefined;
      throw error;
    }
  }

  #missing(path: string): TrackingError {
    return new TrackingError(
      "RESOURCE_DOES_NOT_EXIST",
      `Cannot read artifact "${path}": there is none of that name in "${this.localPath}"`,
    );
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    throw errorOfFiles(`read "${path}"`, error);
  }
}

async function openFile(
  path: string,
  action: string,
): Promise<{ readonly readable: ReadableStream<Uint8Array>; readonly size: number }> {
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(path);
    const { isFile, size } = await file.stat();
    if (isFile) return { readable: file.readable, size };
    throw new TrackingError("RESOURCE_DOES_NOT_EXIST", `Cannot ${action}: it is a folder. Use 'download' for folders`);
  } catch (error) {
    file?.close();
    throw errorOfFiles(action, error);
  }
}
