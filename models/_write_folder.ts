import { basename, dirname, join, resolve } from "@std/path";
import { packagingError } from "./_packaging_error.ts";
import { removeStale } from "./_stale_folders.ts";

/** Options for {@linkcode writeFolder}. */
export interface WriteFolderOptions {
  /** Gives up: nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
  /** Folder in which it is written at first, on the same disk. Default: the one that it is to lie in. */
  readonly staging?: string;
}

/**
 * Makes a folder that is seen whole or not at all: it is written beside its place under a hidden name
 * (`.name.PID.RANDOM.tmp`) and then renamed. Of two that write the same folder, one wins. A process that is killed
 * leaves at most the hidden folder, which no one reads, and which the next that writes a folder of the name there
 * removes.
 *
 * @param path The folder: absent, or there and empty.
 * @param write Fills the folder whose path it is given.
 * @param options Options.
 * @returns What `write` gave.
 * @throws {ChatModelError} With code `folder_not_empty` if there is something at the path.
 */
export async function writeFolder<T>(
  path: string,
  write: (temporary: string) => Promise<T>,
  options: WriteFolderOptions = {},
): Promise<T> {
  options.signal?.throwIfAborted();
  const target = await placeOf(resolve(path), path);
  await checkEmpty(target, path);
  const parent = dirname(target);
  const { staging = parent } = options;
  const temporary = join(staging, `.${basename(target)}.${Deno.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  await permitted(path, async () => {
    await Deno.mkdir(staging, { recursive: true });
    await removeStale(staging, basename(target));
    await Deno.mkdir(temporary);
  });
  try {
    const result = await write(temporary);
    options.signal?.throwIfAborted();
    await Deno.mkdir(parent, { recursive: true });
    await moveInto(temporary, target, path);
    return result;
  } catch (error) {
    await removeQuietly(temporary);
    throw error;
  }
}

/** A link to an empty folder stays a link: what it points to is filled. */
async function placeOf(target: string, path: string): Promise<string> {
  try {
    const { isSymlink } = await Deno.lstat(target);
    return isSymlink ? await Deno.realPath(target) : target;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return target; // The check that follows says what is wrong.
    // Not only whether there is something: another writer may have been quicker meanwhile.
    const linked = await Deno.lstat(target).then(({ isSymlink }) => isSymlink, () => false);
    if (linked) throw occupied(path, "it is a link to what does not exist");
    return target;
  }
}

async function checkEmpty(target: string, path: string): Promise<void> {
  await permitted(path, async () => {
    try {
      for await (const _entry of Deno.readDir(target)) throw occupied(path, "the folder is not empty");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (error instanceof Deno.errors.NotADirectory) throw occupied(path, "it is not a folder");
      throw error;
    }
  });
}

async function moveInto(temporary: string, target: string, path: string): Promise<void> {
  try {
    // Elsewhere a rename takes the place of an empty folder by itself, in one step.
    if (Deno.build.os === "windows") await removeEmpty(target);
    await Deno.rename(temporary, target);
  } catch (error) {
    // What the system calls it differs; that something came there in the meantime is what matters.
    await checkEmpty(target, path);
    throw error;
  }
}

async function removeEmpty(target: string): Promise<void> {
  try {
    await Deno.remove(target);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The failure that led here is the one to report. What cannot be removed has a hidden name and is not read. */
async function removeQuietly(temporary: string): Promise<void> {
  await Deno.remove(temporary, { recursive: true }).catch(() => {});
}

async function permitted(path: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw packagingError(
      "permission_denied",
      `Cannot write folder "${path}": permission is missing. Run with --allow-read and --allow-write`,
      error,
    );
  }
}

function occupied(path: string, what: string): Error {
  return packagingError(
    "folder_not_empty",
    `Cannot write folder "${path}": ${what}. Remove it or name another`,
  );
}
