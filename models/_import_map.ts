import { dirname, join, resolve } from "@std/path";
import * as v from "valibot";
import { packagingError, systemReason } from "./_packaging_error.ts";

const configSchema = v.object({
  imports: v.optional(v.record(v.string(), v.unknown()), {}),
  importMap: v.exactOptional(v.string()),
  lock: v.exactOptional(v.unknown()),
  workspace: v.exactOptional(v.unknown()),
});
const packageSchema = v.object({
  dependencies: v.optional(v.record(v.string(), v.unknown()), {}),
  devDependencies: v.optional(v.record(v.string(), v.unknown()), {}),
  version: v.exactOptional(v.string()),
});

/** One deno.json above a file. */
export interface ConfigFile {
  /** Folder that it lies in. */
  readonly folder: string;
  /** What its import map has: names and what they stand for. */
  readonly imports: ReadonlyMap<string, string>;
  /** Its `lock`, whatever it is. */
  readonly lock?: unknown;
  /** Whether it is the root of a workspace. */
  readonly isWorkspace: boolean;
}

/** Reads the configuration files above an author's files, each once. */
export class ConfigFiles {
  readonly #configs = new Map<string, Promise<ConfigFile | undefined>>();

  /** The deno.json of a file and those in the folders above, nearest first. */
  async above(path: string): Promise<ConfigFile[]> {
    const found: ConfigFile[] = [];
    for (let folder = dirname(path);;) {
      let config = this.#configs.get(folder);
      if (config === undefined) this.#configs.set(folder, config = readConfig(folder));
      const read = await config;
      if (read !== undefined) found.push(read);
      const parent = dirname(folder);
      if (parent === folder) return found;
      folder = parent;
    }
  }

  /**
   * What a bare specifier stands for in the import maps above a file. Deno does not tell it where it took the name for
   * that of a local package, and a path of this machine is of no use to another.
   */
  async find(specifier: string, path: string): Promise<string | undefined> {
    for (const { imports } of await this.above(path)) {
      const target = lookUp(specifier, imports);
      if (target !== undefined) return target;
    }
    return undefined;
  }
}

function lookUp(specifier: string, imports: ReadonlyMap<string, string>): string | undefined {
  const exact = imports.get(specifier);
  if (exact !== undefined) return exact;
  const names = [...imports.keys()].sort((one, other) => other.length - one.length);
  for (const name of names) {
    const target = imports.get(name) ?? "";
    if (name.endsWith("/")) {
      if (specifier.startsWith(name)) return target + specifier.slice(name.length);
    } else if (specifier.startsWith(`${name}/`) && /^(jsr|npm):/.test(target)) {
      return target + specifier.slice(name.length); // As Deno has it: a package's name holds for its entry points too.
    }
  }
  return undefined;
}

async function readConfig(folder: string): Promise<ConfigFile | undefined> {
  for (const name of ["deno.json", "deno.jsonc"]) {
    const path = join(folder, name);
    const config = v.safeParse(configSchema, await readJsonc(path));
    if (!config.success) continue;
    const { imports, importMap, lock, workspace } = config.output;
    const all = { ...(importMap === undefined ? {} : await readImportMap(resolve(folder, importMap))), ...imports };
    return { folder, imports: strings(all), lock, isWorkspace: workspace !== undefined };
  }
  return undefined;
}

async function readImportMap(path: string): Promise<Record<string, unknown>> {
  const map = v.safeParse(configSchema, await readJsonc(path));
  return map.success ? map.output.imports : {};
}

function strings(record: Record<string, unknown>): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of Object.entries(record)) if (typeof value === "string") result.set(name, value);
  return result;
}

/** The value of a JSON file that may have comments and trailing commas; `undefined` if there is none that can be read. */
async function readJsonc(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.IsADirectory) return undefined;
    // Without permission for the folders above, what is in them is taken not to concern the model.
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) return undefined;
    throw packagingError("invalid_model_file", `Cannot read "${path}": ${systemReason(error)}`, error);
  }
  try {
    return JSON.parse(stripJsonc(text));
  } catch {
    return undefined; // Deno itself has read it, or has refused the model with a better message.
  }
}

/** JSON without the comments and trailing commas that Deno allows in its configuration. */
export function stripJsonc(text: string): string {
  const withoutComments = text.replace(
    /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_match, string?: string) => string ?? " ",
  );
  return withoutComments.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_match, string?: string) => string ?? "")
    .replace(/^\uFEFF/, "");
}

/** The `npm:` specifier of a file in a node_modules folder; `undefined` if it lies in none. */
export async function npmSpecifier(path: string, specifier: string, referrer: string): Promise<string | undefined> {
  const match = /^.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(path);
  if (match === null) return undefined;
  const [folder, installed = ""] = match;
  const [, asWritten = ""] = /^((?:@[^/]+\/)?[^/]+)/.exec(specifier) ?? [];
  const name = installed.replaceAll("\\", "/");
  const range = await rangeOf(asWritten, referrer) ?? await readVersion(folder);
  const subpath = specifier.slice(asWritten.length);
  // `npm:other@^1` is a package under another name.
  if (range?.startsWith("npm:")) return range + subpath;
  return `npm:${name}${range === undefined ? "" : `@${range}`}${subpath}`;
}

/** The range that the nearest package.json with the name gives it. */
async function rangeOf(name: string, referrer: string): Promise<string | undefined> {
  for (let folder = dirname(referrer);;) {
    const file = v.safeParse(packageSchema, await readJsonc(join(folder, "package.json")));
    if (file.success) {
      const range = file.output.dependencies[name] ?? file.output.devDependencies[name];
      // What is not a range (a path, an address, a workspace) says nothing to another machine.
      if (typeof range === "string" && /^(npm:\S+|[\^~<>=*\dvx.][^:/|\s]*)$/.test(range)) return range;
    }
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

async function readVersion(folder: string): Promise<string | undefined> {
  const file = v.safeParse(packageSchema, await readJsonc(join(folder, "package.json")));
  return file.success ? file.output.version : undefined;
}
