/** Folders of an author's files, made for one test. */

import { dirname, join } from "@std/path";

/** A temporary folder; disposing it removes it. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Its path. */
  readonly path: string;
  /** The text of a file in it. */
  read(path: string): Promise<string>;
}

/**
 * Makes a temporary folder with files.
 *
 * @param files For each path what is in the file.
 * @returns The folder.
 */
export async function makeFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<TemporaryFolder> {
  // The real path, as messages have it: on some systems the temporary folder is a link.
  const path = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, content] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(path, name)), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(path, name), bytes);
  }
  return {
    path,
    read: (name) => Deno.readTextFile(join(path, name)),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/**
 * Runs a program with Deno.
 *
 * @param args Arguments of `deno`.
 * @param directory Where to run it.
 * @returns What it wrote, and whether it ended well.
 */
export async function runDeno(args: string[], directory: string): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
