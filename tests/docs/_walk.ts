import { fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** The TypeScript files of the root, and of folders with what is below them. */
export async function* walk(folders: readonly string[]): AsyncGenerator<string> {
  for await (const { isFile, name } of Deno.readDir(ROOT)) if (isFile && name.endsWith(".ts")) yield join(ROOT, name);
  for (const folder of folders) yield* below(join(ROOT, folder));
}

async function* below(folder: string): AsyncGenerator<string> {
  for await (const { isFile, isDirectory, name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* below(path);
    else if (isFile && /\.tsx?$/.test(name)) yield path;
  }
}
