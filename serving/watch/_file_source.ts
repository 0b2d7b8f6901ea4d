import { fromFileUrl, resolve } from "@std/path";
import { loadChatModel } from "../../loaded_chat_model.ts";
import { loadCustomModel } from "../../loaded_custom_model.ts";
import { CustomModel } from "../../custom_model.ts";
import { importModelFile } from "../../models/model_file.ts";
import type { LoadedModel } from "../directory.ts";
import { FreshImports } from "./_fresh_imports.ts";
import type { ModelSource, Sighting, SourceLoadOptions } from "./_source.ts";

/** What is noted of a file that is not there. */
const MISSING = "missing";

/** What is noted of a file that was written while it was imported: which of both was, is not known. */
const UNCERTAIN = "uncertain";

interface KnownFile {
  /** What `stat` says of it: its contents are read only if that changes. */
  readonly stat: string;
  readonly hash: string;
}

interface FileSighting extends Sighting {
  readonly hashes: ReadonlyMap<string, string>;
  startedAt?: number;
}

/** A model's file, with the local files that it imports. */
export class FileSource implements ModelSource {
  readonly interval: number;
  readonly settleTime: number;
  readonly #path: string;
  readonly #imports: FreshImports;
  readonly #known = new Map<string, KnownFile>();
  readonly #sightings = new WeakMap<Sighting, FileSighting>();

  private constructor(path: string, imports: FreshImports, interval: number) {
    this.#path = path;
    this.#imports = imports;
    this.interval = interval;
    this.settleTime = Math.min(100, interval);
  }

  /**
   * Begins to watch a file.
   *
   * @param path The file.
   * @param interval Milliseconds between two looks.
   */
  static async of(path: string, interval: number): Promise<FileSource> {
    // The real path: that is what Deno's addresses of modules are made of.
    const absolute = await Deno.realPath(path).catch(() => resolve(path));
    return new FileSource(path, await FreshImports.of(absolute, { isFolder: false }), interval);
  }

  async look(): Promise<Sighting> {
    const hashes = await this.#hashes();
    const key = await keyOf(hashes);
    const sighting: FileSighting = { key, version: key.slice(0, 8), uri: this.#path, hashes };
    this.#sightings.set(sighting, sighting);
    if (hashes.get(this.#imports.href) !== MISSING) return sighting;
    throw new Deno.errors.NotFound(`There is no file "${this.#path}"`);
  }

  async hasMoved(sighting: Sighting): Promise<boolean> {
    for (const [href, hash] of this.#seen(sighting)) if (await this.#hashOf(href) !== hash) return true;
    return false;
  }

  async load(sighting: Sighting, options: SourceLoadOptions): Promise<LoadedModel> {
    const seen = this.#sightings.get(sighting);
    if (seen !== undefined) seen.startedAt = Date.now();
    const model = await importModelFile(fromFileUrl(this.#imports.href), { isolated: true, shownAs: this.#path });
    options.signal.throwIfAborted();
    return CustomModel.isInstance(model) ? await loadCustomModel(model, options) : await loadChatModel(model, options);
  }

  async keyAfterLoad(sighting: Sighting): Promise<string> {
    const startedAt = this.#sightings.get(sighting)?.startedAt ?? 0;
    const hashes = new Map(this.#seen(sighting));
    for (const href of this.#imports.files) {
      if (!hashes.has(href)) hashes.set(href, await this.#hashSince(href, startedAt));
    }
    return await keyOf(hashes);
  }

  close(): void {
    this.#imports[Symbol.dispose]();
  }

  #seen(sighting: Sighting): ReadonlyMap<string, string> {
    return this.#sightings.get(sighting)?.hashes ?? new Map();
  }

  async #hashSince(href: string, time: number): Promise<string> {
    const hash = await this.#hashOf(href);
    const changedAt = hash === MISSING ? 0 : (await Deno.stat(fromFileUrl(href))).mtime?.getTime() ?? 0;
    return changedAt < time ? hash : UNCERTAIN;
  }

  async #hashes(): Promise<Map<string, string>> {
    const hashes = new Map<string, string>();
    for (const href of [this.#imports.href, ...this.#imports.files]) hashes.set(href, await this.#hashOf(href));
    return hashes;
  }

  async #hashOf(href: string): Promise<string> {
    const path = fromFileUrl(href);
    try {
      const { mtime, size, ino } = await Deno.stat(path);
      const stat = `${mtime?.getTime()} ${size} ${ino}`;
      const known = this.#known.get(href);
      // Within one tick of the file system's clock it may be written twice: then it is read once more.
      if (known?.stat === stat && Date.now() - (mtime?.getTime() ?? 0) > 2_000) return known.hash;
      const hash = await sha256(await Deno.readFile(path));
      this.#known.set(href, { stat, hash });
      return hash;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return MISSING;
      throw error;
    }
  }
}

/** In the order in which files became known, which new ones do not change. */
async function keyOf(hashes: ReadonlyMap<string, string>): Promise<string> {
  const lines = [...hashes].map(([href, hash]) => `${hash} ${href}`).sort();
  return await sha256(new TextEncoder().encode(lines.join("\n")));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
