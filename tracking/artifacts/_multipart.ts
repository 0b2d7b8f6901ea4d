import { basename, dirname } from "@std/path";
import * as v from "valibot";
import type { MlflowHttp } from "../rest/http.ts";
import { TrackingError } from "../errors.ts";
import type { TransferOptions } from "../artifact_repository.ts";
import type { LocalFile } from "./_files.ts";
import { joinArtifactPath } from "./_path.ts";
import { encodePath } from "./_proxy_uri.ts";

const MEBIBYTE = 1_048_576;
/** Bytes that S3 wants each part to have but the last. */
const LEAST_OF_S3 = 5 * MEBIBYTE;

const serverInfoSchema = v.object({ multipart_uploads_enabled: v.nullish(v.boolean()) });

const uploadSchema = v.object({
  upload_id: v.nullish(v.string()),
  credentials: v.array(v.object({
    url: v.string(),
    part_number: v.number(),
    headers: v.nullish(v.record(v.string(), v.string())),
  })),
});

/** What uploads in parts need to know. */
export interface MultipartTarget {
  readonly http: MlflowHttp;
  /** Path of the repository's root below that of all artifacts. */
  readonly root: string;
}

/**
 * Uploads a large file in parts, straight to where the server keeps its artifacts, if the server offers that.
 *
 * As for MLflow, files are large from `MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE` (500 MiB) on; the server is asked
 * whether it offers it unless `MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD` says so.
 *
 * @param target Where to.
 * @param file The file.
 * @param options Signal and progress.
 * @returns Whether it is done; if not, nothing has been stored.
 */
export async function uploadInParts(
  target: MultipartTarget,
  file: LocalFile,
  options: TransferOptions,
): Promise<boolean> {
  const { http } = target;
  if (file.size < readSize(http, "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", 500 * MEBIBYTE)) return false;
  if (!await isWanted(http, options.signal)) return false;
  const partSize = readSize(http, "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", 10 * MEBIBYTE);
  const upload = new MultipartUpload(target, file, options);
  const count = Math.max(1, Math.ceil(file.size / partSize));
  const parts = await upload.create(count);
  if (parts === undefined) return false;
  try {
    upload.checkOffer(parts, count);
    await upload.sendParts(parts, partSize);
    await upload.complete(count > 1 && partSize < LEAST_OF_S3);
  } catch (error) {
    await upload.abort(error);
    throw error;
  }
  return true;
}

interface Part {
  readonly url: string;
  readonly part_number: number;
  readonly headers?: { readonly [name: string]: string } | null | undefined;
}

class MultipartUpload {
  readonly #target: MultipartTarget;
  readonly #file: LocalFile;
  readonly #options: TransferOptions;
  readonly #done: { part_number: number; etag: string; url: string }[] = [];
  #uploadId: string | null | undefined;

  constructor(target: MultipartTarget, file: LocalFile, options: TransferOptions) {
    this.#target = target;
    this.#file = file;
    this.#options = options;
  }

  /** Begins; `undefined` if the server's storage has no uploads in parts. */
  async create(count: number): Promise<readonly Part[] | undefined> {
    const { signal } = this.#options;
    try {
      const answer = await this.#post("create", { num_parts: count }, { signal, idempotent: true });
      const { upload_id: uploadId, credentials } = v.parse(uploadSchema, answer);
      this.#uploadId = uploadId;
      return credentials;
    } catch (error) {
      if (error instanceof TrackingError && (error.status === 501 || error.errorCode === "ENDPOINT_NOT_FOUND")) {
        return undefined;
      }
      if (error instanceof v.ValiError) {
        throw new TrackingError("INTERNAL_ERROR", `Cannot ${this.#action}: the server's offer is not as expected`, {
          cause: error,
        });
      }
      throw error;
    }
  }

  checkOffer(parts: readonly Part[], count: number): void {
    if (parts.length === count) return;
    throw new TrackingError(
      "INTERNAL_ERROR",
      `Cannot ${this.#action}: ${count} parts were asked for, but ${parts.length} offered`,
    );
  }

  async sendParts(parts: readonly Part[], partSize: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    const { localPath, path, size: total } = this.#file;
    using file = await Deno.open(localPath);
    for (const [index, { url, part_number, headers }] of parts.entries()) {
      signal?.throwIfAborted();
      const start = index * partSize;
      const content = await readPart(file, start, Math.min(partSize, total - start));
      const answer = await this.#target.http.put(url, () => Promise.resolve({ content }), {
        action: this.#action,
        signal,
        ...(headers && { headers }),
      });
      this.#done.push({ part_number, etag: answer.get("etag") ?? "", url });
      onProgress?.({ path, bytes: Math.min(total, start + content.length), total });
    }
  }

  async complete(isTooSmallForS3: boolean): Promise<void> {
    try {
      await this.#post("complete", { upload_id: this.#uploadId, parts: this.#done }, {
        signal: this.#options.signal,
        idempotent: false,
      });
    } catch (error) {
      // MLflow does not pass on what the storage said.
      if (!(error instanceof TrackingError && error.status === 500 && isTooSmallForS3)) throw error;
      throw new TrackingError(
        error.errorCode,
        `${error.message}. S3 wants parts of at least ${LEAST_OF_S3} bytes: raise MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE`,
        { status: error.status, cause: error },
      );
    }
  }

  /** Throws away what was sent; where that fails too, the error says so. */
  async abort(reason: unknown): Promise<void> {
    try {
      await this.#post("abort", { upload_id: this.#uploadId }, { signal: undefined, idempotent: true });
    } catch (error) {
      if (this.#options.signal?.aborted) return; // The caller is to hear its own reason.
      const message = `Cannot ${this.#action}, nor throw away the parts that were sent`;
      throw new TrackingError("INTERNAL_ERROR", message, { cause: new AggregateError([reason, error]) });
    }
  }

  get #action(): string {
    return `upload artifact "${this.#file.path}" in parts`;
  }

  #post(
    verb: "create" | "complete" | "abort",
    body: { readonly [key: string]: unknown },
    options: { readonly signal: AbortSignal | undefined; readonly idempotent: boolean },
  ): Promise<unknown> {
    const { http, root } = this.#target;
    const { path } = this.#file;
    const folder = joinArtifactPath(root, path.includes("/") ? dirname(path) : "").replace(/\/$/, "");
    return http.request("POST", `/api/2.0/mlflow-artifacts/mpu/${verb}/${encodePath(folder)}`, {
      action: this.#action,
      body: { path: basename(path), ...body },
      ...options,
    });
  }
}

async function readPart(file: Deno.FsFile, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

async function isWanted(http: MlflowHttp, signal: AbortSignal | undefined): Promise<boolean> {
  const said = http.env("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD");
  if (said !== undefined && said !== "") return /^(?:true|1)$/i.test(said);
  try {
    const answer = await http.request("GET", "/api/3.0/mlflow/server-info", { action: "ask the server", signal });
    const info = v.safeParse(serverInfoSchema, answer);
    return info.success && info.output.multipart_uploads_enabled === true;
  } catch (error) {
    // Servers before that route do not offer it.
    if (error instanceof TrackingError && error.status === 404) return false;
    throw error;
  }
}

function readSize(http: MlflowHttp, name: string, fallback: number): number {
  const text = http.env(name);
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TrackingError("INVALID_PARAMETER_VALUE", `Cannot use ${name}="${text}": set it to a number of bytes`);
}
