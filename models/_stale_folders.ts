import { join } from "@std/path";
import process from "node:process";

/** Milliseconds without a change after which the folder of a process that has ended is removed. */
const QUIET_IF_DEAD = 10 * 60_000;

/** Milliseconds without a change after which one is removed whose process may still be there. */
const QUIET_IN_ANY_CASE = 7 * 24 * 3_600_000;

/**
 * Removes what killed processes left while they wrote a folder (`.name.PID.RANDOM.tmp`). A process that is not found
 * here may be on another machine that shares the disk, and the number may be another process's by now: so the files
 * must have been left alone for ten minutes, or for a week if there is such a process or that cannot be seen (without
 * `--allow-run`).
 *
 * @param parent The folder that they lie in.
 * @param name Name of the folder that was written.
 */
export async function removeStale(parent: string, name: string): Promise<void> {
  const now = Date.now();
  for await (const { name: found, isDirectory } of Deno.readDir(parent)) {
    const pid = isDirectory ? pidOf(found, name) : undefined;
    if (pid === undefined || pid === Deno.pid) continue;
    const path = join(parent, found);
    try {
      const quiet = now - await lastChange(path);
      if (quiet < (mayRun(pid) ? QUIET_IN_ANY_CASE : QUIET_IF_DEAD)) continue;
      await Deno.remove(path, { recursive: true });
    } catch {
      // Another may remove it at the same time, or it is someone else's: it is in no one's way, and is looked at again.
    }
  }
}

/** The process that wrote a temporary folder; `undefined` if it is none of the name. */
function pidOf(found: string, name: string): number | undefined {
  if (!found.startsWith(`.${name}.`)) return undefined;
  const [, pid] = /^(\d+)\.[\da-f]{8}\.tmp$/.exec(found.slice(name.length + 2)) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

function mayRun(pid: number): boolean {
  // Asking without the permission would ask the user.
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** When something in a folder was changed last, in milliseconds since 1970. */
async function lastChange(path: string): Promise<number> {
  const { mtime, isDirectory } = await Deno.lstat(path);
  let last = mtime?.getTime() ?? Date.now();
  if (!isDirectory) return last;
  for await (const { name } of Deno.readDir(path)) last = Math.max(last, await lastChange(join(path, name)));
  return last;
}
