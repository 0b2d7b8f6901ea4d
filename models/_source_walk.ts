import { ChatModelError } from "../types/mod.ts";
import { findCodeHints } from "./_code_hints.ts";
import { ConfigFiles } from "./_import_map.ts";
import { type ImportSite, localPath, type ModuleGraph, readModuleGraph } from "./_module_graph.ts";
import { packagingError, systemReason } from "./_packaging_error.ts";
import { type Edit, escapeSpecifier, SourceText, type WrittenSpecifier } from "./_rewrite.ts";
import { isOwnPackage, type Target, targetOf } from "./_specifiers.ts";

/** A file of the author's that goes along. */
export interface WalkedFile {
  /** Address of the file, without a query. */
  readonly url: string;
  /** Its text, where Deno found imports in it. */
  source?: LoadedSource;
  /** What must be changed in it. */
  readonly edits: Edit[];
  /** Specifiers that must be written otherwise, and how. */
  readonly written: Map<string, string>;
  /** Specifiers that lead nowhere, as was reported. */
  readonly unresolved: Set<string>;
  /** Where expressions begin of which Deno has found all files that they may mean. */
  readonly expanded: Set<number>;
}

/** The text of a file, and whether a byte order mark stood before it. */
export interface LoadedSource {
  readonly bom: boolean;
  readonly content: SourceText;
}

interface Step {
  readonly specifier: string;
  readonly graph: ModuleGraph;
  /** Whether the model cannot run without it. */
  readonly required: boolean;
}

/** Goes through the author's files from the model on and finds what must come along and what must be rewritten. */
export class SourceWalk {
  /** The files, by address. */
  readonly files = new Map<string, WalkedFile>();
  /** Packages and addresses that the files import, as they are then written. */
  readonly externals = new Set<string>();
  /** Those of them that are but folders of this machine here: no lock can name them. */
  readonly standIns = new Set<string>();
  /** What the author should know. */
  readonly warnings = new Set<string>();
  /** Why the model cannot be packaged. */
  readonly problems = new Set<string>();
  readonly #configs = new ConfigFiles();
  readonly #lock: string;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param lock The lock file for Deno to write to.
   * @param signal Ends the walk.
   */
  constructor(lock: string, signal: AbortSignal | undefined) {
    this.#lock = lock;
    this.#signal = signal;
  }

  /**
   * Takes a file and all that it imports.
   *
   * @param path The file.
   * @param required Whether what is missing makes the model unusable, or is only to be told.
   */
  async add(path: string, required: boolean): Promise<void> {
    const graph = await readModuleGraph(path, { lock: this.#lock, signal: this.#signal });
    const error = graph.errorOf(graph.root);
    if (error !== undefined) {
      this.#report(`"${path}" cannot be loaded: ${reasonOf(error)}`, required);
      this.#file(graph.root);
      return;
    }
    // What the model cannot run without comes first: a file is judged by the strictest way that leads to it.
    const steps: Step[] = [{ specifier: graph.root, graph, required }];
    for (let later: Step[] = []; steps.length > 0 || later.length > 0;) {
      if (steps.length === 0) {
        steps.push(...later);
        later = [];
      }
      const step = steps.shift();
      if (step === undefined || this.files.has(withoutQuery(step.specifier))) continue;
      for (const next of await this.#visit(step)) (next.required ? steps : later).push(next);
    }
  }

  /** Takes a file as it is. */
  addPlain(url: string): void {
    this.#file(url);
  }

  #file(specifier: string): WalkedFile {
    const url = withoutQuery(specifier);
    let file = this.files.get(url);
    if (file === undefined) this.files.set(url, file = emptyFile(url));
    return file;
  }

  async #visit({ specifier, graph, required }: Step): Promise<Step[]> {
    const file = this.#file(specifier);
    const sites = graph.importsOf(specifier);
    const path = localPath(specifier);
    if (path === undefined || (sites.length === 0 && !isCode(path))) return [];
    const source = await loadSource(path).catch((error) => {
      if (sites.length > 0 || !ChatModelError.isInstance(error) || error.code === "permission_denied") throw error;
      return undefined; // Nothing is to be changed in it, so that it may be of any encoding.
    });
    if (source === undefined) return [];
    file.source = source;
    const next: Step[] = [];
    for (const site of sites) {
      this.#signal?.throwIfAborted();
      const step = await this.#follow(site, { file, source, path, graph, required: required && site.required });
      if (step !== undefined) next.push(step);
    }
    return next;
  }

  async #follow(site: ImportSite, from: {
    readonly file: WalkedFile;
    readonly source: LoadedSource;
    readonly path: string;
    readonly graph: ModuleGraph;
    readonly required: boolean;
  }): Promise<Step | undefined> {
    const { file, source, path, graph, required } = from;
    const { resolution } = site;
    const found = source.content.at(resolution.span);
    const text = site.kind === "types" && found !== undefined ? found.text : site.specifier;
    const place = `"${path}:${source.content.place(found?.start ?? 0)}"`;
    const target = await targetOf(text, { resolved: resolution.specifier, referrer: file.url, configs: this.#configs });
    if (target === undefined) {
      file.unresolved.add(text);
      this.#report(`${place} imports "${text}": ${reasonOf(resolution.error ?? "it cannot be resolved")}`, required);
      return undefined;
    }
    this.#edit(target, { site, found, text, file, path, place });
    const error = graph.errorOf(resolution.specifier ?? "");
    // Where this package is only to be had as a checkout, Deno cannot fetch it; who loads the model has it.
    if (error !== undefined && !isOwnPackage(target.kind === "external" ? target.specifier : "")) {
      this.#report(`${place} imports "${text}": ${reasonOf(error)}`, required);
      return undefined;
    }
    if (target.kind === "local") return { specifier: target.url, graph, required };
    if (/^https?:/.test(target.specifier)) {
      this.warnings.add(`${place} imports "${target.specifier}": what that address serves is not packaged`);
    }
    if (!/^(node|data):/.test(target.specifier)) this.externals.add(target.specifier);
    if (resolution.specifier?.startsWith("file:") && target.specifier.startsWith("jsr:")) {
      this.standIns.add(target.specifier);
    }
    return undefined;
  }

  #edit(target: Target, at: {
    readonly site: ImportSite;
    readonly found: WrittenSpecifier | undefined;
    readonly text: string;
    readonly file: WalkedFile;
    readonly path: string;
    readonly place: string;
  }): void {
    const { site, found, text, file, path, place } = at;
    if (found === undefined) {
      const { span } = site.resolution;
      if (JSON.stringify(span?.start) !== JSON.stringify(span?.end)) throw changed(path);
      // A JSX file imports its runtime without a word of it: the deno.json says which.
      const runtime = (target.written ?? text).replace(/\/jsx-(dev-)?runtime$/, "");
      this.warnings.add(
        `"${path}" is compiled by the "jsx" options of its deno.json, which do not go along: begin it with /** @jsxImportSource ${runtime} */`,
      );
      return;
    }
    if (site.kind === "code" && !found.quoted) {
      // Deno knows how the specifier begins, and has named each file that it may turn out to be.
      file.expanded.add(found.start);
      return;
    }
    if (site.kind === "code" && text !== found.text && !found.text.includes("\\")) throw changed(path);
    if (target.written === undefined) return;
    file.written.set(text, target.written);
    const replacement = found.quoted ? escapeSpecifier(target.written) : target.written;
    if (replacement.includes("*/")) {
      throw packagingError("invalid_model_file", `Cannot package ${place}: bad specifier`);
    }
    file.edits.push({ start: found.start, end: found.end, text: replacement });
  }

  #report(problem: string, required: boolean): void {
    if (required) this.problems.add(problem);
    else this.warnings.add(`${problem}: the model cannot use it`);
  }

  /** Adds warnings of what the files do that packaging cannot see to. */
  async addHints(): Promise<void> {
    for (const { url, source, expanded } of this.files.values()) {
      const path = localPath(url);
      if (source === undefined || path === undefined || /\.d\.[cm]?ts$/.test(path)) continue;
      for (const { offset, kind, argument, literal } of findCodeHints(source.content.text)) {
        if (expanded.has(argument)) continue;
        const place = `"${path}:${source.content.place(offset)}"`;
        if (kind === "dynamic") {
          this.warnings.add(
            `${place} imports a module whose name is known only when it runs: name what it needs in codePaths, and write packages with jsr: or npm:`,
          );
        } else if (literal === undefined || (kind === "resolve" && !/^(\.|[a-z]+:)/.test(literal))) {
          this.warnings.add(
            `${place} calls import.meta.resolve: what it gives depends on the deno.json of the machine. Write the full specifier`,
          );
        } else await this.#hintFile(literal, url, place);
      }
    }
  }

  async #hintFile(literal: string, referrer: string, place: string): Promise<void> {
    if (!URL.canParse(literal, referrer)) return;
    const url = withoutQuery(new URL(literal, referrer).href);
    const path = localPath(url);
    const folder = url.endsWith("/") ? url : `${url}/`;
    const taken = this.files.has(url) || [...this.files.keys()].some((other) => other.startsWith(folder));
    if (path === undefined || taken) return;
    const exists = await Deno.stat(path).then(() => true, () => false);
    if (exists) this.warnings.add(`${place} names "${literal}", which is not packaged: name it in codePaths`);
  }
}

function emptyFile(url: string): WalkedFile {
  return { url, edits: [], written: new Map(), unresolved: new Set(), expanded: new Set() };
}

/** Whether Deno would look for imports in a file. */
export function isCode(path: string): boolean {
  return /\.[cm]?[jt]sx?$/i.test(path);
}

/** An address without what follows the path: all forms of it are one file. */
export function withoutQuery(specifier: string): string {
  return specifier.replace(/[?#].*$/s, "");
}

/**
 * Reads a file as Deno reads code.
 *
 * @throws {ChatModelError} With code `invalid_model_file` if it is not UTF-8.
 */
export async function loadSource(path: string): Promise<LoadedSource> {
  const bytes = await reading(path, () => Deno.readFile(path));
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const bom = text.startsWith("\uFEFF");
    return { bom, content: new SourceText(bom ? text.slice(1) : text) };
  } catch (error) {
    throw packagingError("invalid_model_file", `Cannot package "${path}": it is not UTF-8. Save it as UTF-8`, error);
  }
}

/**
 * Reads an author's file. Deno, which found it, may read more than this process.
 *
 * @throws {ChatModelError} With code `permission_denied` without `--allow-read` for it.
 */
export async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw packagingError(
      "permission_denied",
      `Cannot package "${path}": permission is missing. Run with --allow-read and --allow-write`,
      error,
    );
  }
}

function changed(path: string): Error {
  return packagingError("invalid_model_file", `Cannot package "${path}": it was changed meanwhile. Try again`);
}

/** What Deno says of a module in one line, with the place that it names below. */
function reasonOf(error: string): string {
  const [place] = /file:\/\/[^\s()]+:\d+:\d+/.exec(error) ?? [];
  const reason = systemReason(error);
  return place === undefined || reason.includes(place) ? reason : `${reason} (at ${place})`;
}
