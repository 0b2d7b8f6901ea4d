import { dirname, join } from "@std/path";
import * as v from "valibot";
import type { ArtifactRepository, TransferOptions } from "../artifact_repository.ts";
import type { FileInfo } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { MlflowHttp, OpenBody, UploadBody } from "../rest/http.ts";
import { downloadFiles, errorOfFiles, filesToUpload, type LocalFile, makeFolder, writeFile } from "./_files.ts";
import { schemeOf } from "./_local_root.ts";
import { uploadInParts } from "./_multipart.ts";
import { byPath, checkArtifactPath, joinArtifactPath } from "./_path.ts";
import { encodePath, parseProxyUri, PROXY_PATH } from "./_proxy_uri.ts";
import { collect } from "./_collect.ts";
import { FileBody, ownBytes, trackStream } from "./_streams.ts";
import { openLocalArtifacts } from "./local.ts";

/** Bytes of a stream that are kept in memory; of a longer one a file is made, as its length must be known. */
const ONE_PIECE = 1_048_576;

const listSchema = v.object({
  files: v.nullish(v.array(v.object({
    path: v.string(),
    is_dir: v.nullish(v.boolean()),
    file_size: v.nullish(v.union([v.number(), v.pipe(v.string(), v.transform(Number))])),
  }))),
});

/**
 * Artifacts that a run, an experiment or a logged model of a tracking server names: by the server's proxy
 * (`mlflow-artifacts:`), or, where it names a folder (`file:`, a plain path), on this machine, as MLflow does.
 *
 * @param uri The artifact URI.
 * @param http The tracking server.
 * @returns The repository.
 * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if the files are where only the server can get at them.
 */
export function openProxyArtifacts(uri: string, http: MlflowHttp): ArtifactRepository {
  const scheme = schemeOf(uri);
  if (scheme === undefined || scheme === "file") return openLocalArtifacts(uri);
  if (scheme === "mlflow-artifacts" || scheme === "http" || scheme === "https") return new ProxyArtifacts(uri, http);
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot open artifacts at "${scheme}:…": storage of that kind is not spoken to from here. Start the server with ` +
      "--serve-artifacts and --artifacts-destination, so that it hands them on, and use a new experiment",
  );
}

class ProxyArtifacts implements ArtifactRepository {
  readonly uri: string;
  readonly #http: MlflowHttp;
  readonly #root: string;

  constructor(uri: string, http: MlflowHttp) {
    const { base, root } = parseProxyUri(uri, http.uri);
    checkArtifactPath(root, { allowRoot: true });
    this.uri = uri;
    this.#root = root;
    this.#http = base === http.uri ? http : http.at(base);
  }

  async list(path = ""): Promise<readonly FileInfo[]> {
    checkArtifactPath(path, { allowRoot: true });
    const action = `list artifacts "${path}" of "${this.uri}"`;
    const answer = await this.#http.request("GET", PROXY_PATH, {
      action,
      query: { path: this.#below(path) || "." },
    });
    const result = v.safeParse(listSchema, answer);
    if (!result.success) throw new TrackingError("INTERNAL_ERROR", `Cannot ${action}: the list is not as expected`);
    const files = (result.output.files ?? []).map((file): FileInfo => {
      checkArtifactPath(file.path);
      const itsPath = joinArtifactPath(path, file.path);
      // A file of no bytes comes without a size.
      return file.is_dir
        ? { path: itsPath, isDirectory: true }
        : { path: itsPath, isDirectory: false, fileSize: file.file_size ?? 0 };
    });
    // Asked for a file, some storages list the file itself.
    const [first] = files;
    const isItself = files.length === 1 && path !== "" && first?.isDirectory === false &&
      first.path === joinArtifactPath(path, path.slice(path.lastIndexOf("/") + 1));
    return isItself ? [] : files.sort(byPath);
  }

  async listAll(path = ""): Promise<readonly FileInfo[]> {
    const files: FileInfo[] = [];
    for (const file of await this.list(path)) {
      if (file.isDirectory) files.push(...await this.listAll(file.path));
      else files.push(file);
    }
    return files.sort(byPath);
  }

  async put(
    path: string,
    content: Uint8Array | ReadableStream<Uint8Array>,
    options: TransferOptions = {},
  ): Promise<void> {
    try {
      checkArtifactPath(path, { forWriting: true });
      if (content instanceof Uint8Array) return await this.#sendBytes(path, ownBytes(content), options);
      const collected = await collect(content, { limit: ONE_PIECE, path, signal: options.signal });
      if (collected instanceof Uint8Array) return await this.#sendBytes(path, collected, options);
      try {
        await this.#sendFile({ ...collected, path }, options);
      } finally {
        await Deno.remove(collected.localPath);
      }
    } finally {
      if (content instanceof ReadableStream && !content.locked) await content.cancel();
    }
  }

  async upload(localPath: string, path: string, options: TransferOptions = {}): Promise<void> {
    for (const file of await filesToUpload(localPath, path)) {
      options.signal?.throwIfAborted();
      if (await uploadInParts({ http: this.#http, root: this.#root }, file, options)) continue;
      await this.#sendFile(file, options);
    }
  }

  async get(path: string, options: TransferOptions = {}): Promise<ReadableStream<Uint8Array>> {
    checkArtifactPath(path);
    const { signal } = options;
    const { response, touch, end, explain } = await this.#open(path, signal);
    const length = response.headers.get("content-length");
    const total = length === null || response.headers.has("content-encoding") ? undefined : Number(length);
    const source = response.body ?? new Blob([]).stream();
    return trackStream(source, {
      path,
      total,
      mapError: explain,
      onEnd: end,
      onProgress: (progress) => {
        touch();
        options.onProgress?.(progress);
      },
      ...(signal && { signal }),
    });
  }

  async download(path: string, localPath: string, options: TransferOptions = {}): Promise<void> {
    checkArtifactPath(path, { allowRoot: true });
    options.signal?.throwIfAborted();
    const files = await this.listAll(path);
    // What has nothing in it is a file, or is not there.
    if (files.length === 0 && path !== "") return await this.#fetchFile(path, localPath, options);
    await downloadFiles(files, { path, localPath }, (file, target) => this.#fetchFile(file.path, target, options));
  }

  async #fetchFile(path: string, localPath: string, options: TransferOptions): Promise<void> {
    const action = `download artifact "${path}" to "${localPath}"`;
    const content = await this.get(path, options);
    const folder = join(localPath, "..");
    try {
      await makeFolder(folder, action);
    } catch (error) {
      await content.cancel(error);
      throw error;
    }
    await writeFile(localPath, content, { folder, action, signal: options.signal });
  }

  async #sendBytes(path: string, content: Uint8Array<ArrayBuffer>, options: TransferOptions): Promise<void> {
    await this.#send(path, () => Promise.resolve({ content }), options);
    options.onProgress?.({ path, bytes: content.length, total: content.length });
  }

  async #sendFile(file: LocalFile, options: TransferOptions): Promise<void> {
    const { signal, onProgress } = options;
    const { localPath, path, size: total } = file;
    // An empty Blob has no length for `fetch`.
    if (total === 0) return await this.#sendBytes(path, new Uint8Array(), options);
    let content: FileBody | undefined;
    await this.#send(path, async (touch) => {
      const made = new FileBody(await openFile(localPath), total, (bytes) => {
        touch();
        onProgress?.({ path, bytes, total });
      });
      content = made;
      return { content: made, end: () => made.end() };
    }, { ...(signal && { signal }) });
    if (content?.isComplete) return;
    throw new TrackingError("DATA_LOSS", `Cannot store artifact "${path}" of "${this.uri}": not all of it was sent`);
  }

  async #send(
    path: string,
    makeBody: (touch: () => void) => Promise<UploadBody>,
    { signal }: TransferOptions,
  ): Promise<void> {
    const action = `store artifact "${path}" of "${this.uri}"`;
    await this.#http.put(this.#pathOf(path), makeBody, { action, signal });
  }

  async #open(path: string, signal: AbortSignal | undefined): Promise<OpenBody> {
    const action = `read artifact "${path}" of "${this.uri}"`;
    try {
      // Bytes and their count as they are stored.
      const headers = { "accept-encoding": "identity" };
      return await this.#http.open(this.#pathOf(path), { action, signal, headers, repeatsLost: isLatin(path) });
    } catch (error) {
      if (!(error instanceof TrackingError)) throw error;
      // What MLflow says to the name of a folder; before 3.13 it just failed.
      if (error.status !== 400 && error.status !== 500) throw explainFailure(error, path);
      if ((await this.list(path)).length > 0) {
        const message = `Cannot ${action}: it is a folder. Use 'download' for folders`;
        throw new TrackingError("RESOURCE_DOES_NOT_EXIST", message, { cause: error });
      }
      // MLflow 2 fails at what is not there, too.
      if (error.status === 500 && !await this.#isListed(path)) {
        const message = `Cannot ${action}: there is no such artifact. See what there is by 'list'`;
        throw new TrackingError("RESOURCE_DOES_NOT_EXIST", message, { cause: error });
      }
      throw explainFailure(error, path);
    }
  }

  async #isListed(path: string): Promise<boolean> {
    const files = await this.list(path.includes("/") ? dirname(path) : "");
    return files.some((file) => file.path === path);
  }

  #below(path: string): string {
    return path === "" ? this.#root : joinArtifactPath(this.#root, path);
  }

  #pathOf(path: string): string {
    return `${PROXY_PATH}/${encodePath(this.#below(path))}`;
  }
}

async function openFile(localPath: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(localPath);
  } catch (error) {
    throw errorOfFiles(`upload "${localPath}"`, error);
  }
}

/** Whether the name of a file can stand in a header. */
function isLatin(path: string): boolean {
  return /^[\u0020-\u00ff]*$/.test(path.slice(path.lastIndexOf("/") + 1));
}

/** MLflow before 3.13 cannot put such a name into its answer's header: it fails, or breaks the connection off. */
function explainFailure(error: TrackingError, path: string): TrackingError {
  const isLost = /connection broke/.test(error.message) && !isLatin(path);
  // deno-lint-ignore no-control-regex -- the end of ASCII
  const isRefused = error.status === 500 && !/^[\x00-\x7f]*$/.test(path);
  if (!isLost && !isRefused) return error;
  return new TrackingError(
    error.errorCode,
    `${error.message}. Some versions of MLflow cannot hand out names with other letters than those of ASCII`,
    { status: error.status, code: error.code, retryable: error.retryable, cause: error },
  );
}
