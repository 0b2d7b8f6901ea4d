import * as nodeModule from "node:module";
import { dirname, join, toFileUrl } from "@std/path";
import { ChatModelError } from "../../types/mod.ts";

/**
 * Deno imports a file once: who imports it again gets the module of the first time, and a query behind its address makes
 * a new one of that file alone, not of those that it imports. So the addresses of local files that a watched file
 * imports are given its query, too, by a hook: then all are read anew, and stay in their place, for what they read beside
 * them.
 */

/** Query that `importModelFile` puts behind the address of a file that is to run anew. */
const LOAD_REGEXP = /[?&]load=(\d+)$/;

/** This package: a second copy of it would not be wrong, but of no use. */
const OWN_REGEXP = /^(?:jsr:\/?)?@chatmodel\/chat-model(?=[@/]|$)/;

/** Where packages are, whose files do not change. */
const PACKAGES_REGEXP = /\/node_modules\/|\/npm\/[^/]+\.[^/]+\//;

const CONFIG_FILES = ["deno.json", "deno.jsonc", "package.json"];

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

/** The roots whose imports are read anew. */
const roots = new Set<FreshImports>();

/** For each import of a root, which that is; several where it is served under several names. */
const rootsByLoad = new Map<string, readonly FreshImports[]>();

let hooks: { deregister(): void } | undefined;

/** Has the local files that a file imports be read anew each time that it is imported anew. */
export class FreshImports implements Disposable {
  /** Address of the file; of a folder with a slash at its end. */
  readonly href: string;
  /** Addresses of all local files that were imported so far, without the root. */
  readonly files: Set<string> = new Set<string>();
  /** Address of the folder below which files are local, even if they are imported by a name. */
  readonly #project: string;

  private constructor(href: string, project: string) {
    this.href = href;
    this.#project = project;
  }

  /**
   * Begins.
   *
   * @param path A file, or a folder of such files; absolute.
   * @param options Which of them.
   * @throws {ChatModelError} With code `unsupported_feature` if this Deno cannot do it.
   */
  static async of(path: string, { isFolder }: { readonly isFolder: boolean }): Promise<FreshImports> {
    const { href } = toFileUrl(path);
    const project = toFileUrl(isFolder ? path : await projectFolder(dirname(path))).href;
    const imports = new FreshImports(isFolder ? withSlash(href) : href, withSlash(project));
    if (hooks === undefined) {
      // Absent before Deno 2.9, whatever the types say.
      if (typeof nodeModule.registerHooks !== "function") {
        throw new ChatModelError(
          `Cannot watch "${path}": Deno ${Deno.version.deno} cannot import files anew. Use Deno 2.9 or later`,
          { code: "unsupported_feature" },
        );
      }
      hooks = nodeModule.registerHooks({
        resolve: (specifier, context, next) => resolveFresh(specifier, context, next(specifier, context)),
      });
    }
    roots.add(imports);
    return imports;
  }

  /** Ends. What was imported stays as it is. */
  [Symbol.dispose](): void {
    roots.delete(this);
    for (const [load, [root]] of rootsByLoad) if (root === this) rootsByLoad.delete(load);
    if (roots.size > 0) return;
    hooks?.deregister();
    hooks = undefined;
  }

  /** Whether a file is the root, or belongs to it. */
  begins(href: string): boolean {
    return this.href.endsWith("/") ? href.startsWith(this.href) : href === this.href;
  }

  /** Whether an import leads to a file of the author's. */
  leadsHome(specifier: string, href: string): boolean {
    if (!href.startsWith("file:") || OWN_REGEXP.test(specifier)) return false;
    if (/^(?:\.{0,2}\/|file:)/.test(specifier)) return true;
    return href.startsWith(this.#project) && !PACKAGES_REGEXP.test(href);
  }
}

function resolveFresh<R extends { url: string }>(specifier: string, { parentURL }: ResolveContext, resolved: R): R {
  const load = parentURL === undefined ? undefined : LOAD_REGEXP.exec(parentURL)?.[1];
  if (parentURL === undefined || load === undefined) return resolved;
  const begun = rootsByLoad.get(load) ?? [...roots].filter((root) => root.begins(plain(parentURL)));
  const homes = begun.filter((root) => root.leadsHome(specifier, resolved.url));
  if (begun.length > 0) rootsByLoad.set(load, begun);
  if (homes.length === 0) return resolved;
  for (const { files } of homes) files.add(plain(resolved.url));
  if (LOAD_REGEXP.test(resolved.url)) return resolved;
  return { ...resolved, url: `${resolved.url}${resolved.url.includes("?") ? "&" : "?"}load=${load}` };
}

function plain(url: string): string {
  return url.replace(/[?#].*$/, "");
}

function withSlash(href: string): string {
  return href.endsWith("/") ? href : `${href}/`;
}

/** The nearest folder upwards that has a configuration, whose names may stand for local files; else the folder itself. */
async function projectFolder(folder: string): Promise<string> {
  for (let candidate = folder;; candidate = dirname(candidate)) {
    for (const name of CONFIG_FILES) if (await isFile(join(candidate, name))) return candidate;
    if (candidate === dirname(candidate)) return folder;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false; // Not there, or not to be seen: then no names of it are, either.
  }
}
