import { join, toFileUrl } from "@std/path";
import { ChatModelError } from "../types/mod.ts";
import { localPath } from "./_module_graph.ts";

/** Where copies of an author's files lie. */
export interface AuthorsPaths {
  /** The folder of the copies. */
  readonly folder: string;
  /** For each path in the folder the address of the author's file. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Does something with copies of an author's files. An error of this package's that names a copy, which is gone by the
 * time anyone reads of it, names the author's file instead. What a model throws itself is handed on as it is.
 */
export async function inAuthorsPaths<T>(action: () => Promise<T>, { folder, origins }: AuthorsPaths): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!ChatModelError.isInstance(error) || error.name !== "ChatModelError") throw error;
    let { message } = error;
    // Longer ones first, as one path may begin as another does.
    for (const [place, url] of [...origins].toSorted(([one], [other]) => other.length - one.length)) {
      const path = join(folder, place);
      message = message.replaceAll(toFileUrl(path).href, url).replaceAll(path, localPath(url) ?? url);
    }
    if (message === error.message) throw error;
    const { status, code, type, param, retryable, cause } = error;
    throw new ChatModelError(message, { status, code, type, param, retryable, cause });
  }
}
