import type { FileInfo } from "./entities.ts";

/** Told how far an upload or download has come. */
export type OnProgress = (progress: {
  /** Path of the file, from the root of the artifacts. */
  readonly path: string;
  /** Bytes of this file so far. */
  readonly bytes: number;
  /** Bytes of this file in all; absent if not known. */
  readonly total?: number;
}) => void;

/** Options for moving artifacts. */
export interface TransferOptions {
  /** Gives up. What is half uploaded is not seen by others; what is half downloaded is removed. */
  readonly signal?: AbortSignal;
  /** Told how far it has come. */
  readonly onProgress?: OnProgress;
}

/**
 * The files of a run or of a logged model. Paths are relative to its root, with `/`; those that lead out of it (`..`,
 * absolute ones, backslashes, control characters) are refused with `INVALID_PARAMETER_VALUE`. Nothing holds a whole
 * file in memory.
 */
export interface ArtifactRepository {
  /** URI of the root. */
  readonly uri: string;
  /**
   * What is in a folder, by name.
   *
   * @param path The folder. Default: the root. A folder that does not exist has no files.
   */
  list(path?: string): Promise<readonly FileInfo[]>;
  /** Everything in a folder and in its folders: files only, by path. */
  listAll(path?: string): Promise<readonly FileInfo[]>;
  /** Stores one file, in place of what was there; whole or not at all. */
  put(path: string, content: Uint8Array | ReadableStream<Uint8Array>, options?: TransferOptions): Promise<void>;
  /** Stores a file of this machine, or a folder with all that is in it. `path` is the name it gets; "" for a folder's contents to come to the root. */
  upload(localPath: string, path: string, options?: TransferOptions): Promise<void>;
  /** Reads one file. Rejects with `RESOURCE_DOES_NOT_EXIST` if there is none. */
  get(path: string, options?: TransferOptions): Promise<ReadableStream<Uint8Array>>;
  /**
   * Brings a file, or a folder with all that is in it, to this machine.
   *
   * @param path What to bring; "" for everything.
   * @param localPath The file or folder that it becomes. Folders are made; a file is complete or not there.
   */
  download(path: string, localPath: string, options?: TransferOptions): Promise<void>;
  /** Where it lies on this machine, if it does: then it need not be downloaded. */
  readonly localPath?: string;
}
