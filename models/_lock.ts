import { join, resolve } from "@std/path";
import * as v from "valibot";
import { ConfigFiles } from "./_import_map.ts";
import { runDeno } from "./_module_graph.ts";
import { ChatModelError } from "../types/mod.ts";
import { isOwnPackage } from "./_specifiers.ts";

const packageSchema = v.looseObject({
  dependencies: v.optional(v.array(v.string())),
  optionalDependencies: v.optional(v.array(v.string())),
  optionalPeers: v.optional(v.array(v.string())),
});
const lockSchema = v.object({
  version: v.picklist(["4", "5"]),
  specifiers: v.optional(v.record(v.string(), v.string()), {}),
  jsr: v.optional(v.record(v.string(), packageSchema), {}),
  npm: v.optional(v.record(v.string(), packageSchema), {}),
  redirects: v.optional(v.record(v.string(), v.string()), {}),
  remote: v.optional(v.record(v.string(), v.string()), {}),
});

/** Deno's lock file, as far as it concerns a model. */
export type Lock = v.InferOutput<typeof lockSchema>;

/** Name of the lock file in a model's folder. */
export const LOCK_FILE = "deno.lock";

/** Options for {@linkcode writeLock}. */
export interface WriteLockOptions {
  /** What the model imports: `npm:`, `jsr:` and `https:` specifiers, without those that are folders here. */
  readonly imports: readonly string[];
  /** The model's folder. */
  readonly folder: string;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of the lock file. */
export interface WrittenLock {
  /** Whether there is one. */
  readonly written: boolean;
  /** Why there is none although there should be. */
  readonly warning?: string;
}

/**
 * Writes the lock file of a model: the versions and hashes of the packages that it imports, and of those that they
 * need. It is made for `deno run --no-config --lock=deno.lock src/…`, so it has no `workspace` part and nothing of what
 * else the author's project uses.
 *
 * The author's own lock is the source where it knows all of the imports: these are the versions that the author runs,
 * and nothing has to be resolved. Else Deno resolves the imports from what it has in its cache, with what the author's
 * lock does know held fixed, in a file of its own: the model itself may import this package from a checkout, which no
 * lock can name. This package is in the lock only if the author has it from the registry. An entry that is absent does
 * no harm: without `--frozen`, Deno adds what is missing and still checks what is there.
 *
 * @param modelFile The author's file.
 * @param options Options.
 */
export async function writeLock(modelFile: string, options: WriteLockOptions): Promise<WrittenLock> {
  const { imports, folder, signal } = options;
  const needed = imports.filter((specifier) => !isOwnPackage(specifier));
  const found = await findLock(modelFile);
  const own = imports.filter(isOwnPackage);
  let lock = found === undefined ? undefined : pruneLock(found, needed, own);
  if (lock === undefined && needed.length > 0) {
    try {
      lock = pruneLock(await resolveLock(found, { ...options, imports: needed }), needed, own);
    } catch (error) {
      signal?.throwIfAborted();
      if (!ChatModelError.isInstance(error) || error.code === "permission_denied") throw error;
      return { written: false, warning: `The model has no lock file: ${error.message}` };
    }
    if (lock === undefined) {
      return { written: false, warning: "The model has no lock file: Deno locked not all of its imports" };
    }
  }
  if (lock === undefined || Object.keys(lock).length === 1) return { written: false };
  await Deno.writeTextFile(join(folder, LOCK_FILE), JSON.stringify(lock, null, 2) + "\n");
  return { written: true };
}

/** The lock that Deno uses when it runs a file. */
async function findLock(modelFile: string): Promise<Lock | undefined> {
  const configs = await new ConfigFiles().above(resolve(modelFile));
  // The lock is the workspace's; a folder that is none has its own.
  const config = configs.find(({ isWorkspace }) => isWorkspace) ?? configs[0];
  if (config === undefined || config.lock === false) return undefined;
  const setting = v.safeParse(v.union([v.string(), v.object({ path: v.string() })]), config.lock);
  const path = setting.success
    ? typeof setting.output === "string" ? setting.output : setting.output.path
    : LOCK_FILE;
  return await readLock(resolve(config.folder, path));
}

async function readLock(path: string): Promise<Lock | undefined> {
  try {
    const lock = v.safeParse(lockSchema, JSON.parse(await Deno.readTextFile(path)));
    return lock.success ? lock.output : undefined;
  } catch {
    return undefined; // No lock, or none that can be read, is as good as none: a new one is made.
  }
}

/** Has Deno lock the imports. */
async function resolveLock(known: Lock | undefined, options: WriteLockOptions): Promise<Lock> {
  const { imports, folder, signal } = options;
  const directory = await Deno.makeTempDir({ dir: folder, prefix: ".lock-" });
  try {
    const path = resolve(directory, LOCK_FILE);
    if (known !== undefined) await Deno.writeTextFile(path, JSON.stringify(known));
    const file = join(directory, "imports.js");
    await Deno.writeTextFile(file, imports.map((specifier) => `import ${JSON.stringify(specifier)};\n`).join(""));
    await runDeno(["cache", "--quiet", "--no-config", `--lock=${path}`, file], {
      action: `lock the packages of "${folder}"`,
      env: { DENO_NO_PACKAGE_JSON: "1" },
      signal,
    });
    return await readLock(path) ?? { version: "5", specifiers: {}, jsr: {}, npm: {}, redirects: {}, remote: {} };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/**
 * The part of a lock that some imports need.
 *
 * @param lock The lock.
 * @param needed Specifiers that must be in it.
 * @param wanted Specifiers that are taken along if they are in it.
 * @returns The part; `undefined` if one of the needed is not in it.
 */
export function pruneLock(lock: Lock, needed: readonly string[], wanted: readonly string[] = []): object | undefined {
  const kept = new Kept(lock);
  for (const specifier of needed) if (!kept.add(specifier)) return undefined;
  for (const specifier of wanted) kept.add(specifier);
  return kept.toLock();
}

class Kept {
  readonly #lock: Lock;
  readonly #specifiers = new Set<string>();
  readonly #packages = { jsr: new Set<string>(), npm: new Set<string>() };
  #remote = false;

  constructor(lock: Lock) {
    this.#lock = lock;
  }

  add(specifier: string): boolean {
    if (/^https?:/.test(specifier)) {
      // Which addresses a remote module leads to the lock does not tell: all of them stay.
      this.#remote = true;
      return specifier in this.#lock.remote || specifier in this.#lock.redirects;
    }
    const match = /^(jsr|npm):\/?((?:@[^/@]+\/)?[^/@]+)(@[^/]+)?/.exec(specifier);
    if (match === null) return true;
    const [, kind, name = "", range = "@*"] = match;
    return this.#addSpecifier(`${kind}:${name}${decodeURIComponent(range)}`);
  }

  #addSpecifier(key: string): boolean {
    const version = this.#lock.specifiers[key];
    const match = /^(jsr|npm):(@?[^@]+)@/.exec(key);
    if (version === undefined || match === null) return false;
    if (this.#specifiers.has(key)) return true;
    this.#specifiers.add(key);
    const [, kind, name] = match;
    return kind === "jsr" ? this.#addJsr(`${name}@${version}`) : this.#addNpm(`${name}@${version}`);
  }

  #addJsr(id: string): boolean {
    const entry = this.#lock.jsr[id];
    if (entry === undefined) return false;
    if (this.#packages.jsr.has(id)) return true;
    this.#packages.jsr.add(id);
    // Where one range of a package is in use, the lock leaves it out.
    return (entry.dependencies ?? []).every((name) => {
      if (name in this.#lock.specifiers) return this.#addSpecifier(name);
      const keys = Object.keys(this.#lock.specifiers).filter((key) => key.startsWith(`${name}@`));
      return keys.length > 0 && keys.every((key) => this.#addSpecifier(key));
    });
  }

  #addNpm(id: string): boolean {
    const entry = this.#lock.npm[id];
    if (entry === undefined) return false;
    if (this.#packages.npm.has(id)) return true;
    this.#packages.npm.add(id);
    const { dependencies = [], optionalDependencies = [], optionalPeers = [] } = entry;
    const names = [...dependencies, ...optionalDependencies, ...optionalPeers];
    return names.every((name) => this.#idsOf(name).every((id) => this.#addNpm(id)));
  }

  /** `name`, `name@version`, or `alias@npm:name@version`; the version is left out where there is only one. */
  #idsOf(dependency: string): string[] {
    const name = dependency.replace(/^.+@npm:/, "");
    if (name in this.#lock.npm) return [name];
    return Object.keys(this.#lock.npm).filter((id) => id.startsWith(`${name}@`) || id.startsWith(`${name}_`));
  }

  toLock(): object {
    const { version, specifiers, jsr, npm, redirects, remote } = this.#lock;
    const parts = {
      specifiers: pick(specifiers, this.#specifiers),
      jsr: pick(jsr, this.#packages.jsr),
      npm: pick(npm, this.#packages.npm),
      ...(this.#remote && { redirects, remote }),
    };
    return { version, ...Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0)) };
  }
}

function pick<T>(record: Readonly<Record<string, T>>, keys: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => keys.has(key)));
}
