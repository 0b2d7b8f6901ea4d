import { createHash } from "node:crypto";
import { fromFileUrl, join, resolve, toFileUrl } from "@std/path";
import { ChatModelError } from "../types/mod.ts";
import { packagingError, systemReason } from "./_packaging_error.ts";

/** A file of a model's folder. */
export interface SourceFile {
  /** Path from the model's folder, with `/`, such as `src/ollama_model.ts`. */
  readonly path: string;
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Folder of a model's code, within the model's folder. */
export const SOURCE_FOLDER = "src";

/** What never belongs to a model, wherever it lies; the last is another model that is being saved. */
const SKIPPED = /^(\.git|node_modules|\.DS_Store|\..+\.\d+\.[\da-f]{8}\.tmp)$/;

/** Options for what goes through files. */
export interface FilesOptions {
  /** Gives up between two files or two pieces of one. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Size and hash of a file, which is read piece by piece.
 *
 * @param folder The model's folder.
 * @param path Path from there.
 */
export async function hashFile(folder: string, path: string, options: FilesOptions = {}): Promise<SourceFile> {
  const hash = createHash("sha256");
  let size = 0;
  const file = await Deno.open(join(folder, path));
  for await (const piece of file.readable) {
    options.signal?.throwIfAborted();
    hash.update(piece);
    size += piece.length;
  }
  return { path, sha256: hash.digest("hex"), size };
}

/**
 * Makes sure that a model's code is what was saved, before it is run.
 *
 * @param folder The model's folder.
 * @param files What was saved, all in `src/` or elsewhere in the folder.
 * @param options Options.
 * @throws {ChatModelError} With code `model_changed` if a file was changed, removed, or added in `src/`.
 */
export async function verifySources(
  folder: string,
  files: readonly SourceFile[],
  options: FilesOptions = {},
): Promise<void> {
  const problems: string[] = [];
  const expected = new Set<string>();
  for (const file of files) {
    expected.add(file.path);
    if (!isInside(file.path)) problems.push(`"${file.path}" leads out of the folder`);
    else {
      const problem = await compare(folder, file, options);
      if (problem !== undefined) problems.push(`"${file.path}" ${problem}`);
    }
  }
  for await (const path of filesBelow(folder, SOURCE_FOLDER)) {
    if (!expected.has(path)) problems.push(`"${path}" was added`);
  }
  if (problems.length === 0) return;
  throw packagingError(
    "model_changed",
    `Cannot load model "${folder}": its code is not what was saved: ${
      list(problems)
    }. Fetch or copy the model again, or save it anew from its source if the change is wanted`,
  );
}

async function compare(folder: string, file: SourceFile, options: FilesOptions): Promise<string | undefined> {
  try {
    const { isFile, size } = await Deno.lstat(join(folder, file.path));
    if (!isFile) return "is no longer a file";
    if (size !== file.size) return "was changed";
    const { sha256 } = await hashFile(folder, file.path, options);
    return sha256 === file.sha256 ? undefined : "was changed";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return "is missing";
    if (error instanceof Deno.errors.NotCapable) {
      throw packagingError(
        "permission_denied",
        `Cannot read "${join(folder, file.path)}": permission is missing. Run with --allow-read`,
        error,
      );
    }
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return `cannot be read: ${systemReason(error)}`;
  }
}

/** What a path of a list from outside must be: below the folder, the same on all systems. */
function isInside(path: string): boolean {
  return path !== "" && !/[\\\0]|^[a-z]:/i.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

async function* filesBelow(folder: string, path: string): AsyncGenerator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(join(folder, path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // Each file of it is reported as missing.
    throw error;
  }
  for (const { name, isDirectory } of entries) {
    if (name === ".DS_Store") continue; // A look into the folder on a Mac changes no code.
    if (isDirectory) yield* filesBelow(folder, `${path}/${name}`);
    else yield `${path}/${name}`;
  }
}

function list(problems: readonly string[]): string {
  const shown = problems.slice(0, 5).join(", ");
  return problems.length > 5 ? `${shown} and ${problems.length - 5} more` : shown;
}

/** The files that an author names beside the model: addresses of all, and what was left out on purpose. */
export interface NamedFiles {
  /** Addresses of the files. */
  readonly urls: ReadonlySet<string>;
  /** What the author should know. */
  readonly warnings: readonly string[];
}

/**
 * The files of `codePaths`: files as they are, folders with all that is in them. Links are followed.
 *
 * @param paths Files and folders, from the working directory.
 * @param exclude A folder that is not looked into: the model's own, where it is saved into one of them.
 * @throws {ChatModelError} With code `invalid_model_path` if one of them is missing.
 */
export async function findNamedFiles(paths: readonly string[], exclude: string): Promise<NamedFiles> {
  const urls = new Set<string>();
  const warnings: string[] = [];
  const excluded = resolve(exclude);
  async function visit(path: string, above: readonly string[]): Promise<void> {
    if (path === excluded) return;
    const { isFile, isDirectory } = await Deno.stat(path);
    if (isFile) urls.add(toFileUrl(path).href);
    if (!isDirectory) return;
    const real = await Deno.realPath(path);
    if (above.includes(real)) {
      throw packagingError("invalid_model_path", `Cannot package "${path}": it is a link to a folder that it lies in`);
    }
    for await (const { name } of Deno.readDir(path)) {
      if (/^\.env(\.|$)/.test(name)) {
        warnings.push(
          `"${join(path, name)}" is not packaged: such files hold secrets. Name the file itself to take it`,
        );
      } else if (!SKIPPED.test(name)) await visit(join(path, name), [...above, real]);
    }
  }
  for (const path of paths) {
    try {
      await visit(resolve(path.startsWith("file:") ? fromFileUrl(path) : path), []);
    } catch (error) {
      if (ChatModelError.isInstance(error)) throw error;
      const missing = error instanceof Deno.errors.NotFound;
      throw packagingError(
        error instanceof Deno.errors.NotCapable ? "permission_denied" : "invalid_model_path",
        `Cannot package "${path}" of codePaths: ${
          missing
            ? "there is no such file or folder. Check the path: it is taken from the working directory"
            : systemReason(error)
        }`,
        error,
      );
    }
  }
  return { urls, warnings };
}
