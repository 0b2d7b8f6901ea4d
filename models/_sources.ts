import { dirname, join, resolve } from "@std/path";
import { draftLock, LOCK_FILE, writeLock } from "./_lock.ts";
import { localPath, readModuleGraph } from "./_module_graph.ts";
import { packagingError, systemReason } from "./_packaging_error.ts";
import { applyEdits, type Edit, escapeSpecifier } from "./_rewrite.ts";
import { findNamedFiles, hashFile, SOURCE_FOLDER, type SourceFile } from "./_source_files.ts";
import { isCode, loadSource, reading, SourceWalk, type WalkedFile, withoutQuery } from "./_source_walk.ts";
import { PACKAGE_VERSION } from "./_specifiers.ts";

/** Options for {@linkcode packageSources}. */
export interface PackageSourcesOptions {
  /**
   * Files and folders that the model reads by their place beside it, from the working directory. What is hidden in
   * `.git`, `node_modules` and `.env` files is left out.
   *
   * @default {[]}
   */
  readonly codePaths?: readonly string[];
  /** Gives up. What is written so far stays. */
  readonly signal?: AbortSignal | undefined;
}

/** The code of a model in its folder. */
export interface PackagedSources {
  /** The model's file, from the folder, such as `src/ollama_model.ts`. */
  readonly modelPath: string;
  /** All files below `src/`, by path. */
  readonly files: readonly SourceFile[];
  /** For each file below `src/` the address of the author's. */
  readonly origins: ReadonlyMap<string, string>;
  /** Packages and addresses that the code imports, sorted. */
  readonly imports: readonly string[];
  /** Version of this package that it was saved with. */
  readonly packageVersion: string;
  /** Version of Deno that it was saved with. */
  readonly denoVersion: string;
  /** What the author should know: what may not work on another machine. */
  readonly warnings: readonly string[];
  /** Path of the lock file, from the folder; absent if nothing is to be locked, or it could not be (see the warnings). */
  readonly lock?: string;
}

/**
 * Copies a model's file into a folder with all files that it imports, so that it runs on any machine, whatever deno.json
 * lies near it: names of the author's import map become full `jsr:` and `npm:` specifiers or relative paths, in place;
 * not one byte else is changed. The files keep their places to one another, below `src/`.
 *
 * Deno itself says what is imported (`deno info`), under the configuration that it would run the file with, and, without
 * any, whether all was found.
 *
 * @param modelFile The model's file.
 * @param folder An existing folder, to which `src/` and `deno.lock` are added.
 * @param options Options.
 * @throws {ChatModelError} With code `invalid_model_file` if the file, or one that it imports, is missing or cannot be
 * parsed, `invalid_model_path` for a code path that does not exist, `permission_denied` without `--allow-run`.
 */
export async function packageSources(
  modelFile: string,
  folder: string,
  options: PackageSourcesOptions = {},
): Promise<PackagedSources> {
  const { codePaths = [], signal } = options;
  const path = resolve(modelFile);
  await checkModelFile(modelFile);
  await using draft = await draftLock(modelFile, folder);
  const walk = new SourceWalk(draft.path, signal);
  await walk.add(path, true);
  if (walk.problems.size > 0) {
    throw packagingError(
      "invalid_model_file",
      `Cannot package model "${modelFile}": ${
        [...walk.problems].slice(0, 5).join("; ")
      }. Mend it until "deno check" of the file passes`,
    );
  }
  const [root] = walk.files.keys();
  const named = await findNamedFiles(codePaths, folder);
  for (const url of named.urls) {
    const namedPath = localPath(url);
    if (namedPath !== undefined && isCode(namedPath) && !walk.files.has(url)) await walk.add(namedPath, false);
    walk.addPlain(url);
  }
  await walk.addHints();

  const base = commonFolder([...walk.files.keys()]);
  const written = await writeFiles(walk, { base, folder, signal });
  await settle(written, { folder, signal });
  const files: SourceFile[] = [];
  for (const file of [...written.keys()].sort()) files.push(await hashFile(folder, file, { signal }));
  const imports = [...walk.externals].sort();
  const lockable = imports.filter((specifier) => !walk.standIns.has(specifier));
  const lock = await writeLock(draft, { imports: lockable, folder });
  return {
    modelPath: placeOf(root ?? "", base),
    files,
    origins: new Map([...written].map(([place, { url }]) => [place, url])),
    imports,
    packageVersion: PACKAGE_VERSION,
    denoVersion: Deno.version.deno,
    warnings: [...walk.warnings, ...named.warnings, ...(lock.warning === undefined ? [] : [lock.warning])],
    ...(lock.written && { lock: LOCK_FILE }),
  };
}

/**
 * Makes sure that there is a model's file.
 *
 * @throws {ChatModelError} With code `invalid_model_file`, or `permission_denied` without `--allow-read`.
 */
export async function checkModelFile(modelFile: string): Promise<void> {
  try {
    if ((await Deno.stat(resolve(modelFile))).isFile) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw packagingError(
        "permission_denied",
        `Cannot read model "${modelFile}": permission is missing. Run with --allow-read`,
        error,
      );
    }
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : systemReason(error);
    throw packagingError("invalid_model_file", `Cannot package model "${modelFile}": ${reason}. Check the path`, error);
  }
  throw packagingError(
    "invalid_model_file",
    `Cannot package model "${modelFile}": it is not a file. Name the .ts or .js file of the model`,
  );
}

/** The nearest folder that all files lie in, with a slash at its end. */
function commonFolder(urls: readonly string[]): string {
  const [first = "", ...others] = urls;
  let base = first.slice(0, first.lastIndexOf("/") + 1);
  for (const url of others) {
    while (!url.startsWith(base)) base = base.slice(0, base.lastIndexOf("/", base.length - 2) + 1);
  }
  return base;
}

function placeOf(url: string, base: string): string {
  return `${SOURCE_FOLDER}/${decodeURIComponent(url.slice(base.length))}`;
}

interface Place {
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}

/** Writes the files; gives them by the path at which they then lie. */
async function writeFiles(
  walk: SourceWalk,
  { base, folder, signal }: Place & { readonly base: string },
): Promise<Map<string, WalkedFile>> {
  const written = new Map<string, WalkedFile>();
  for (const file of walk.files.values()) {
    signal?.throwIfAborted();
    const from = localPath(file.url);
    if (from === undefined) continue;
    const place = placeOf(file.url, base);
    const to = join(folder, place);
    await Deno.mkdir(dirname(to), { recursive: true });
    if (file.source === undefined || file.edits.length === 0) {
      await reading(from, () => Deno.copyFile(from, to));
    } else await writeSource(to, file.source.bom, applyEdits(file.source.content.text, file.edits));
    written.set(place, file);
  }
  return written;
}

async function writeSource(path: string, bom: boolean, text: string): Promise<void> {
  await Deno.writeTextFile(path, (bom ? "\uFEFF" : "") + text);
}

/** More places than anyone writes one specifier at, in one file. */
const MAXIMUM_ROUNDS = 100;

/**
 * Has Deno look at the files where they are now, without any configuration: it told of one place for each specifier
 * only, and tells of the next once that is mended.
 */
async function settle(written: ReadonlyMap<string, WalkedFile>, { folder, signal }: Place): Promise<void> {
  const seen = new Set<string>();
  for (const [place, { source }] of written) {
    if (source === undefined || seen.has(place)) continue;
    for (let round = 0; round < MAXIMUM_ROUNDS; round++) {
      if (!await settleOnce(place, { written, seen, folder, signal })) break;
    }
  }
}

/** Mends what Deno finds from one file on; whether there was something. */
async function settleOnce(start: string, { written, seen, folder, signal }: Place & {
  readonly written: ReadonlyMap<string, WalkedFile>;
  readonly seen: Set<string>;
}): Promise<boolean> {
  const graph = await readModuleGraph(join(folder, start), { isolated: true, signal });
  const base = `${graph.root.split("/").slice(0, -start.split("/").length).join("/")}/`;
  let mended = false;
  const queue = [graph.root];
  const visited = new Set(queue);
  for (const specifier of queue) {
    const place = decodeURIComponent(withoutQuery(specifier).slice(base.length));
    const file = written.get(place);
    if (file?.source === undefined) continue;
    seen.add(place);
    const path = join(folder, place);
    const { bom, content } = await loadSource(path);
    const outputs = new Set(file.written.values());
    const edits: Edit[] = [];
    const unresolved: string[] = [];
    for (const { resolution, required } of graph.importsOf(specifier)) {
      const found = content.at(resolution.span);
      const right = found === undefined || outputs.has(found.text) ? undefined : file.written.get(found.text);
      if (found !== undefined && right !== undefined) {
        edits.push({ start: found.start, end: found.end, text: found.quoted ? escapeSpecifier(right) : right });
      } else if (found !== undefined && required && resolution.error !== undefined) unresolved.push(found.text);
      const next = resolution.specifier;
      if (next?.startsWith(base) && !visited.has(next)) {
        visited.add(next);
        queue.push(next);
      }
    }
    if (edits.length > 0) {
      mended = true;
      await writeSource(path, bom, applyEdits(content.text, edits));
    } else checkResolved(file, unresolved);
  }
  return mended;
}

/** What Deno could not resolve where the author has it is known by now; all else must be found without a deno.json. */
function checkResolved(file: WalkedFile, unresolved: readonly string[]): void {
  const [specifier] = unresolved.filter((specifier) => !file.unresolved.has(specifier));
  if (specifier === undefined) return;
  throw packagingError(
    "invalid_model_file",
    `Cannot package "${
      localPath(file.url) ?? file.url
    }": what it imports as "${specifier}" cannot be found without its deno.json. Write the full jsr: or npm: specifier there`,
  );
}
