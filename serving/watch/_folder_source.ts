import { fromFileUrl, join } from "@std/path";
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
   * @param uri Its path, or `file:`.
   * @param options How.
   */
  static async of(uri: string, options: FolderSourceOptions): Promise<FolderSource> {
    const path = await Deno.realPath(uri.startsWith("file:") ? fromFileUrl(uri) : uri);
    return new FolderSource(uri, await FreshImports.of(path, { isFolder: true }), options);
  }

  async look(): Promise<Sighting> {
    const bytes = await Deno.readFile(join(this.#folder, MLMODEL));
    const key = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    return { key, version: key.slice(0, 8), uri: this.#uri };
  }

  async hasMoved({ key }: Sighting): Promise<boolean> {
    return (await this.look()).key !== key;
  }

  async load({ uri }: Sighting, options: SourceLoadOptions): Promise<LoadedModel> {
    return await this.#load(uri, options);
  }

  keyAfterLoad({ key }: Sighting): Promise<string> {
    return Promise.resolve(key);
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
