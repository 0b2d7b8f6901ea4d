import { fromFileUrl, join, resolve } from "@std/path";
import { ChatModelError } from "../../types/mod.ts";
import type { LoadedModel } from "../directory.ts";
import { FreshImports } from "./_fresh_imports.ts";
import type { ModelSource, Sighting, SourceLoadOptions } from "./_source.ts";
import type { LoadSaved } from "./_load_saved.ts";

/** The file of a saved model that says what all others are. */
const MLMODEL = "MLmodel";

/** A folder with a saved model, which is saved anew or replaced from time to time. */
export class FolderSource implements ModelSource {
  readonly interval: number;
  readonly settleTime: number;
  readonly #uri: string;
  readonly #folder: string;
  readonly #imports: FreshImports;
  readonly #load: LoadSaved;

  private constructor(uri: string, imports: FreshImports, options: FolderSourceOptions) {
    this.#uri = uri;
    this.#folder = fromFileUrl(imports.href);
    this.#imports = imports;
    this.interval = options.interval;
    this.settleTime = Math.min(100, options.interval);
    this.#load = options.load;
  }

  /**
   * Begins to watch a folder.
   *
   * @param uri Its path.
   * @param options How.
   */
  static async of(uri: string, options: FolderSourceOptions): Promise<FolderSource> {
    // Not the real path: that of a link is another, once a new version is put in place.
    const path = resolve(uri);
    return new FolderSource(uri, await FreshImports.of(path, { isFolder: true }), options);
  }

  async look(): Promise<Sighting> {
    const bytes = await this.#read();
    const key = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    return { key, version: key.slice(0, 8), uri: this.#uri };
  }

  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await Deno.readFile(join(this.#folder, MLMODEL));
    } catch (cause) {
      const reason = cause instanceof Deno.errors.NotFound
        ? `it has no file "${MLMODEL}". Name a folder that saveModel() wrote`
        : `its "${MLMODEL}" cannot be read: ${
          cause instanceof Error ? cause.message : cause
        }. See whether it may be read`;
      throw new ChatModelError(`Cannot load model "${this.#uri}": ${reason}`, { code: "invalid_mlmodel", cause });
    }
  }

  async hasMoved({ key }: Sighting): Promise<boolean> {
    return (await this.look()).key !== key;
  }

  async load({ uri }: Sighting, options: SourceLoadOptions): Promise<LoadedModel> {
    return await this.#load(uri, options);
  }

  close(): void {
    this.#imports[Symbol.dispose]();
  }
}

/** Options for {@linkcode FolderSource}. */
export interface FolderSourceOptions {
  /** Milliseconds between two looks. */
  readonly interval: number;
  readonly load: LoadSaved;
}
