import configuration from "../deno.json" with { type: "json" };
import { type ConfigFiles, npmSpecifier } from "./_import_map.ts";
import { localPath } from "./_module_graph.ts";

/** Version of this package: models say which one they were written for. */
export const PACKAGE_VERSION: string = configuration.version;

const OWN_RANGE = `jsr:${configuration.name}@^${PACKAGE_VERSION}`;
const OWN_PREFIX = new RegExp(`^jsr:/?${configuration.name}(?=[@/]|$)`);

/** The entry points of this package as files, where it is a folder of this machine. */
const OWN_ENTRIES = new Map(
  Object.entries(configuration.exports).map(([name, path]) => [
    new URL(path, new URL("../", import.meta.url)).href,
    OWN_RANGE + name.slice(1),
  ]),
);

/** Where a specifier leads once the file lies in a model's folder. */
export type Target =
  /** To a file that goes along. `written` says what must stand there; absent if it is right as it is. */
  | { readonly kind: "local"; readonly url: string; readonly written?: string }
  /** To a package, or to an address. */
  | { readonly kind: "external"; readonly specifier: string; readonly written?: string };

/** Whether a specifier names this package. */
export function isOwnPackage(specifier: string): boolean {
  return specifier === configuration.name || specifier.startsWith(`${configuration.name}/`) ||
    OWN_PREFIX.test(specifier);
}

/**
 * What an import must be written as to mean the same without its deno.json and on another machine.
 *
 * @param text The specifier as it stands in the file.
 * @param options Where Deno says it leads, and from where.
 * @returns The target; `undefined` if Deno could not resolve it.
 */
export async function targetOf(text: string, options: {
  readonly resolved: string | undefined;
  readonly referrer: string;
  readonly configs: ConfigFiles;
}): Promise<Target | undefined> {
  const { resolved, referrer, configs } = options;
  if (isOwnPackage(text)) return external(text, await ownSpecifier(text, referrer, configs));
  if (resolved === undefined) return undefined;
  const path = localPath(resolved);
  if (path === undefined) return external(text, withoutSlash(resolved));
  // A package of the author's workspace that is also published: the address holds everywhere.
  if (/^(jsr|npm):/.test(text)) return external(text, text);
  const referrerPath = localPath(referrer) ?? "";
  const own = OWN_ENTRIES.get(resolved);
  if (own !== undefined) return external(text, own);
  if (isBare(text)) {
    const mapped = await configs.find(text, referrerPath);
    if (mapped !== undefined && /^(jsr|npm|https?):/.test(mapped)) return external(text, withoutSlash(mapped));
    const npm = await npmSpecifier(path, text, referrerPath);
    if (npm !== undefined) return external(text, npm);
  }
  const right = /^\.\.?\//.test(text) && new URL(text, referrer).href === resolved;
  return { kind: "local", url: resolved, ...(!right && { written: relativeUrl(referrer, resolved) }) };
}

function external(text: string, specifier: string): Target {
  return { kind: "external", specifier, ...(text !== specifier && { written: specifier }) };
}

/** The author's own range counts where there is one; a checkout of the package stands for its version. */
async function ownSpecifier(text: string, referrer: string, configs: ConfigFiles): Promise<string> {
  const path = localPath(referrer);
  const mapped = path === undefined || text.startsWith("jsr:") ? undefined : await configs.find(text, path);
  const known = mapped !== undefined && OWN_PREFIX.test(mapped) ? withoutSlash(mapped) : text;
  const rest = known.replace(OWN_PREFIX, "");
  if (rest === known) return OWN_RANGE + text.slice(configuration.name.length);
  return rest.startsWith("@") ? known : OWN_RANGE + rest;
}

function isBare(text: string): boolean {
  return !/^(\.{0,2}\/|[a-z][a-z\d+.-]*:)/i.test(text);
}

/** `npm:/name` and `jsr:/name` are how Deno itself writes some addresses: the same without the slash. */
function withoutSlash(specifier: string): string {
  return specifier.replace(/^(npm|jsr):\//, "$1:");
}

/** The address of a file as seen from another. */
export function relativeUrl(from: string, to: string): string {
  const target = new URL(to);
  const base = new URL(from).pathname.split("/").slice(0, -1);
  const path = target.pathname.split("/");
  let same = 0;
  while (same < base.length && same < path.length - 1 && base[same] === path[same]) same++;
  const up = base.length - same;
  const prefix = up === 0 ? "./" : "../".repeat(up);
  return prefix + path.slice(same).join("/") + target.search + target.hash;
}
