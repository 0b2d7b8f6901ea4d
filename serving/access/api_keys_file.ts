import { ChatModelError } from "../../types/mod.ts";
import type { ApiKey } from "./api_key.ts";
import { ApiKeys, type ApiKeySource } from "./api_keys.ts";
import { apiKeysFromJson } from "./api_keys_text.ts";
import { invalidKeys } from "./_key_schema.ts";

/** Options for {@linkcode ApiKeysFile.open}. */
export interface ApiKeysFileOptions {
  /** Milliseconds between two looks at the file. @default {2000} */
  readonly interval?: number;
  /**
   * Told when the file was changed to what cannot be read, so that the keys from before stay in force: once, until it
   * is another failure or the file is good again. Nothing secret is in the message. Default: writes it to the console.
   */
  readonly onWarning?: (message: string) => void;
}

/**
 * Keys from a file, followed while it changes: `{"keys": [{"name", "sha256", "models", "requests_per_minute",
 * "tokens_per_minute", "max_concurrency"}]}`, of which only the first two must be there.
 *
 * It is read anew every two seconds, rather than watched: that holds for editors that replace the file, for links that
 * are turned elsewhere as Kubernetes does with secrets, and for file systems of other machines. Does not keep the
 * process running. Needs `--allow-read` for the file.
 */
export class ApiKeysFile implements ApiKeySource, Disposable {
  readonly #path: string;
  readonly #onWarning: (message: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #text: string;
  #keys: ApiKeys;
  /** The failure that was told last. */
  #warning: string | undefined;
  #reading: Promise<void> | undefined;
  #closed = false;

  /**
   * Reads keys from a file, and follows it until {@linkcode ApiKeysFile.close}.
   *
   * @param path Path of the file.
   * @param options How often to look, and whom to tell of failures.
   * @returns The keys.
   * @throws {ValidationError} If it does not hold what it must.
   * @throws {ChatModelError} If it cannot be read: code `permission_denied` if a permission of Deno's is missing, else
   * `invalid_option`.
   */
  static async open(path: string, options: ApiKeysFileOptions = {}): Promise<ApiKeysFile> {
    const { interval = 2000 } = options;
    if (!Number.isInteger(interval) || interval < 1 || interval > 2_147_483_647) {
      throw new ChatModelError(
        `Cannot follow API keys: "interval" must be whole milliseconds from 1 to 2147483647, but is ${interval}`,
        { code: "invalid_option" },
      );
    }
    const text = await readKeys(path);
    return new ApiKeysFile(path, text, { ...options, interval });
  }

  private constructor(path: string, text: string, options: ApiKeysFileOptions) {
    this.#path = path;
    this.#onWarning = options.onWarning ?? warn;
    this.#text = text;
    this.#keys = keysOf(text, path);
    this.#timer = setInterval(() => this.reload(), options.interval);
    Deno.unrefTimer(this.#timer);
  }

  /** The keys that are in force. */
  get keys(): readonly ApiKey[] {
    return this.#keys.keys;
  }

  /**
   * Finds the key that a request came with, in a time that does not tell how much of it is right.
   *
   * @param authorization Value of its `Authorization` header; `null` if it has none.
   * @returns The key.
   * @throws {ChatModelError} Status 401, code `invalid_api_key`, if there is none or it is not known.
   */
  find(authorization: string | null): ApiKey {
    return this.#keys.find(authorization);
  }

  /**
   * Looks at the file now. What cannot be read is told as a warning, and changes nothing.
   *
   * @returns Resolves when it has been looked at; never rejects.
   */
  reload(): Promise<void> {
    // A slow disk may take longer than the interval.
    this.#reading ??= this.#read().finally(() => this.#reading = undefined);
    return this.#reading;
  }

  /** Follows the file no more. The keys stay as they are. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** The same as {@linkcode ApiKeysFile.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #read(): Promise<void> {
    if (this.#closed) return;
    try {
      const text = await readKeys(this.#path);
      if (this.#closed) return;
      if (text !== this.#text) this.#keys = keysOf(text, this.#path);
      this.#text = text;
      this.#warning = undefined;
    } catch (error) {
      if (!this.#closed) this.#tell(error instanceof Error ? error.message : String(error));
    }
  }

  #tell(failure: string): void {
    if (failure === this.#warning) return;
    this.#warning = failure;
    const message = `${failure}. The API keys from before stay in force`;
    try {
      this.#onWarning(message);
    } catch (error) {
      // A log that fails must not end the process, as an error in a timer would.
      warn(message);
      warn(`Cannot tell of a warning: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function keysOf(text: string, path: string): ApiKeys {
  return new ApiKeys(apiKeysFromJson(text, { source: nameOf(path) }));
}

async function readKeys(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      const message = `Cannot read ${nameOf(path)}: the permission is missing. Run with --allow-read=${path}`;
      throw new ChatModelError(message, { code: "permission_denied", cause });
    }
    throw invalidKeys(nameOf(path), [{ path: "", message: problemOf(cause) }]);
  }
}

function problemOf(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) {
    return "there is no such file. 'cli.ts keys create --name NAME --file FILE' makes one";
  }
  if (cause instanceof Deno.errors.PermissionDenied) return "the system does not allow it. Look at the file's owner";
  if (cause instanceof Deno.errors.IsADirectory) return "it is a folder. Name the file in it";
  return cause instanceof Error ? cause.message : String(cause);
}

function nameOf(path: string): string {
  return `API keys from "${path}"`;
}

function warn(message: string): void {
  // deno-lint-ignore no-console -- a server's log; hand in `onWarning` to have it elsewhere.
  console.error(message);
}
