import { basename, dirname, join } from "@std/path";
import { CommandError } from "../_command_error.ts";
import { reasonOf } from "../models/reason_of.ts";
import { type ApiKey, apiKeysFromJson, toEntry } from "../serving/access/mod.ts";

/** A new file is for its owner only: hashes of keys that people thought of could be tried out. */
const MODE = 0o600;

/**
 * Reads the keys of a file.
 *
 * @throws {CommandError} With exit code 1 if it cannot be read.
 * @throws {ValidationError} If it does not hold what it must.
 */
export async function readKeysFile(path: string): Promise<ApiKey[]> {
  const found = await readIfThere(path);
  if (found === undefined) {
    throw new CommandError(
      `Cannot read "${path}": there is no such file. 'cli.ts keys create --name NAME --file FILE' makes one`,
      1,
    );
  }
  return found;
}

/**
 * Changes the keys of a file, which is made if it is not there. Commands that run at the same time wait for each other
 * by a lock of the system on a hidden file beside it, which is free again even if one of them is killed. Who reads the
 * file meanwhile sees it as it was or as it will be, as the new one takes its place by being renamed.
 *
 * @param path Path of the file.
 * @param change Makes the new keys of those that there are; of `undefined` if there is no file.
 * @throws {CommandError} With exit code 1 if the file cannot be read or written.
 */
export async function changeKeysFile(
  path: string,
  change: (keys: readonly ApiKey[] | undefined) => readonly ApiKey[],
): Promise<void> {
  let target: string;
  let lock: KeysLock;
  try {
    target = await placeOf(path);
    lock = await takeLock(join(dirname(target), `.${basename(target)}.lock`));
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
  try {
    const keys = change(await readIfThere(target, path));
    await replace(target, `${JSON.stringify({ keys: keys.map(toEntry) }, null, 2)}\n`)
      .catch((cause) => Promise.reject(cannotWrite(path, cause)));
  } finally {
    await lock.release();
  }
}

/** A link stays a link: what it points to is replaced. */
async function placeOf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

interface KeysLock {
  release(): Promise<void>;
}

async function takeLock(path: string): Promise<KeysLock> {
  while (true) {
    const file = await Deno.open(path, { create: true, write: true, mode: MODE });
    try {
      await file.lock(true);
      // Whoever had it before removed the file: then this is a lock on nothing, and others may have made a new one.
      if (await isSame(file, path)) return { release: () => release(file, path) };
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

async function isSame(file: Deno.FsFile, path: string): Promise<boolean> {
  const { ino } = await file.stat();
  try {
    return (await Deno.stat(path)).ino === ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removed while it is still locked, so that it is not somebody else's. */
async function release(file: Deno.FsFile, path: string): Promise<void> {
  // If it stays, it does no harm: what matters is that it is free, and that is what closing it does.
  await Deno.remove(path).catch(() => {});
  file.close();
}

/** Writes beside the file, with its owner and mode if it is there, and puts the new one in its place. */
async function replace(target: string, text: string): Promise<void> {
  const before = await statIfThere(target);
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true, mode: MODE });
    // On the disk before it has its name: a crash must not leave an empty file.
    using file = await Deno.open(temporary, { write: true });
    await file.sync();
    if (before !== undefined && Deno.build.os !== "windows") await keepOwner(temporary, before);
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // The failure that led here is the one to report.
    throw error;
  }
}

async function keepOwner(path: string, { mode, uid, gid }: Deno.FileInfo): Promise<void> {
  const now = await Deno.stat(path);
  // Only where it matters: it needs rights that few have.
  if (now.uid !== uid || now.gid !== gid) await Deno.chown(path, uid, gid);
  if (mode !== null) await Deno.chmod(path, mode & 0o777);
}

async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function readIfThere(path: string, name = path): Promise<ApiKey[] | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new CommandError(`Cannot read "${name}": ${reasonOf(cause)}`, 1, { cause });
  }
  return apiKeysFromJson(text, { source: `API keys from "${name}"` });
}

function cannotWrite(path: string, cause: unknown): CommandError {
  const hint = cause instanceof Deno.errors.NotFound ? "there is no such folder" : reasonOf(cause);
  return new CommandError(`Cannot write "${path}": ${hint}`, 1, { cause });
}
