import { fromFileUrl, resolve } from "@std/path";
import { loadChatModel } from "../../loaded_chat_model.ts";
import { loadCustomModel } from "../../loaded_custom_model.ts";
import { CustomModel } from "../../custom_model.ts";
import { ChatModelError } from "../../types/mod.ts";
import { importModelFile } from "../../models/model_file.ts";
import type { LoadedModel } from "../directory.ts";
import { FreshImports } from "./_fresh_imports.ts";
import type { ModelSource, Sighting, SourceLoadOptions } from "./_source.ts";

/** What is noted of a file that is not there. */
const MISSING = "missing";

/** What is noted of a file that was written while it was imported: which of both was, is not known. */
const UNCERTAIN = "uncertain";

/** Milliseconds in which a file may be written twice without its times telling. */
const CLOCK_TICK = 2_000;

interface KnownFile {
  /** What `stat` says of it: its contents are read only if that changes. */
  readonly stat: string;
  readonly hash: string;
}

/** A model's file, with the local files that it imports. */
export class FileSource implements ModelSource {
  readonly interval: number;
  readonly settleTime: number;
  readonly #path: string;
  readonly #imports: FreshImports;
  readonly #known = new Map<string, KnownFile>();
  /**
   * What each file was when it became known. Only files that are otherwise now tell one state from another: so it
   * changes nothing that one more becomes known, because it was imported late.
   */
  readonly #first = new Map<string, string>();
  /** What each file was when it was seen. */
  readonly #seen = new WeakMap<Sighting, ReadonlyMap<string, string>>();

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
    // Not the real path: that of a link is another, once a new version is put in place.
    return new FileSource(path, await FreshImports.of(resolve(path), { isFolder: false }), interval);
  }

  async look(): Promise<Sighting> {
    const hashes = new Map<string, string>();
    const changed: string[] = [];
    for (const href of this.#files()) {
      const hash = await this.#hashOf(href);
      hashes.set(href, hash);
      if (!this.#first.has(href)) this.#first.set(href, hash);
      if (this.#first.get(href) !== hash) changed.push(`${href} ${hash}`);
    }
    if (hashes.get(this.#imports.href) === MISSING) {
      throw new ChatModelError(
        `Cannot load model "${this.#path}": there is no such file, or it cannot be read. Name the .ts or .js file of a model`,
        { code: "invalid_model_file" },
      );
    }
    const version = (await sha256(encoder.encode([...hashes].flat().join("\n")))).slice(0, 8);
    const sighting: Sighting = { key: changed.join("\n"), version, uri: this.#path };
    this.#seen.set(sighting, hashes);
    return sighting;
  }

  async hasMoved(sighting: Sighting): Promise<boolean> {
    for (const [href, hash] of this.#seen.get(sighting) ?? []) if (await this.#hashOf(href) !== hash) return true;
    return false;
  }

  async load(_sighting: Sighting, options: SourceLoadOptions): Promise<LoadedModel> {
    const begun = Date.now();
    let model;
    try {
      model = await importModelFile(fromFileUrl(this.#imports.href), { isolated: true, shownAs: this.#path });
    } finally {
      for (const href of this.#files()) {
        if (!this.#first.has(href)) this.#first.set(href, await this.#hashBefore(href, begun));
      }
    }
    options.signal.throwIfAborted();
    return CustomModel.isInstance(model) ? await loadCustomModel(model, options) : await loadChatModel(model, options);
  }

  close(): void {
    this.#imports[Symbol.dispose]();
  }

  #files(): string[] {
    return [...new Set([this.#imports.href, ...this.#imports.files])];
  }

  async #hashBefore(href: string, time: number): Promise<string> {
    const hash = await this.#hashOf(href);
    return hash !== MISSING && await changedAt(href) >= time ? UNCERTAIN : hash;
  }

  async #hashOf(href: string): Promise<string> {
    const path = fromFileUrl(href);
    try {
      const { mtime, size, ino } = await Deno.stat(path);
      const time = mtime?.getTime() ?? 0;
      const stat = `${time} ${size} ${ino}`;
      const known = this.#known.get(href);
      if (known?.stat === stat) return known.hash;
      const hash = await sha256(await Deno.readFile(path));
      if (Date.now() - time > CLOCK_TICK) this.#known.set(href, { stat, hash });
      return hash;
    } catch {
      return MISSING; // Or not to be read: importing it tells why.
    }
  }
}

const encoder = new TextEncoder();

async function changedAt(href: string): Promise<number> {
  try {
    return (await Deno.stat(fromFileUrl(href))).mtime?.getTime() ?? 0;
  } catch {
    return Infinity; // Gone since.
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
