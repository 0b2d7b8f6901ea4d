import { join, resolve } from "@std/path";
import * as v from "valibot";
import { ConfigFiles } from "./_import_map.ts";
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

/** A lock file that Deno may write to while a model is packaged: the author's own stays as it is. */
export interface LockDraft extends AsyncDisposable {
  /** Its path. */
  readonly path: string;
}

/**
 * Copies the lock that Deno uses when it runs a file, so that the packages are those that the author has.
 *
 * @param modelFile The author's file.
 * @param folder The model's folder; what is put there goes when the draft is disposed of.
 */
export async function draftLock(modelFile: string, folder: string): Promise<LockDraft> {
  const directory = resolve(await Deno.makeTempDir({ dir: folder, prefix: ".lock-" }));
  const path = join(directory, LOCK_FILE);
  const source = await findLock(resolve(modelFile));
  // One that cannot be read is as good as none: Deno makes a new one.
  if (source !== undefined && await readLock(source) !== undefined) {
    await Deno.writeFile(path, await Deno.readFile(source));
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }) };
}

/** Where the lock is that Deno uses when it runs a file; `undefined` if it uses none. */
async function findLock(modelFile: string): Promise<string | undefined> {
  const configs = await new ConfigFiles().above(modelFile);
  // The lock is the workspace's; a folder that is none has its own.
  const config = configs.find(({ isWorkspace }) => isWorkspace) ?? configs[0];
  if (config === undefined || config.lock === false) return undefined;
  const setting = v.safeParse(v.union([v.string(), v.object({ path: v.string() })]), config.lock);
  if (!setting.success) return resolve(config.folder, LOCK_FILE);
  return resolve(config.folder, typeof setting.output === "string" ? setting.output : setting.output.path);
}

async function readLock(path: string): Promise<Lock | undefined> {
  try {
    const lock = v.safeParse(lockSchema, JSON.parse(await Deno.readTextFile(path)));
    return lock.success ? lock.output : undefined;
  } catch {
    return undefined; // No lock, or one that Deno would not read either.
  }
}

/** What became of the lock file. */
export interface WrittenLock {
  /** Whether there is one. */
  readonly written: boolean;
  /** Why there is none although there should be. */
  readonly warning?: string;
}

/** Options for {@linkcode writeLock}. */
export interface WriteLockOptions {
  /** What the model imports: `npm:`, `jsr:` and `https:` specifiers, without those that are folders here. */
  readonly imports: readonly string[];
  /** The model's folder. */
  readonly folder: string;
}

/**
 * Writes the lock file of a model: the versions and hashes of the packages that it imports, and of those that they
 * need. It is made for `deno run --no-config --lock=deno.lock src/…`, so it has no `workspace` part and nothing of what
 * else the author's project uses.
 *
 * It comes from the author's own lock, to which Deno has added what it lacked when it read the model's imports: no
 * other run, and nothing to be fetched that reading the imports has not fetched. This package is in it only if the
 * author has it from the registry: a checkout has no hash that another machine could check, and the same holds for
 * other members of the author's workspace. An entry that is absent does no harm: without `--frozen`, Deno adds what is
 * missing and still checks what is there.
 *
 * @param draft The lock that Deno has written to.
 * @param options Options.
 */
export async function writeLock(draft: LockDraft, options: WriteLockOptions): Promise<WrittenLock> {
  const needed = options.imports.filter((specifier) => !isOwnPackage(specifier));
  const found = await readLock(draft.path);
  const lock = found === undefined ? undefined : pruneLock(found, needed, options.imports.filter(isOwnPackage));
  if (lock === undefined) {
    const warning = "The model has no lock file: Deno has not locked all that it imports. Run it with Deno once";
    return { written: false, ...(needed.length > 0 && { warning }) };
  }
  if (Object.keys(lock).length === 1) return { written: false };
  await Deno.writeTextFile(join(options.folder, LOCK_FILE), JSON.stringify(lock, null, 2) + "\n");
  return { written: true };
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
    const [, kind, name = "", range = ""] = match;
    return this.#addRange(`${kind}:${name}`, decodeURIComponent(range));
  }

  /** Deno writes ranges in a form of its own (`10` for `^10`): where one cannot be told, all of the package stay. */
  #addRange(name: string, range: string): boolean {
    if (`${name}${range}` in this.#lock.specifiers) return this.#addSpecifier(`${name}${range}`);
    const keys = Object.keys(this.#lock.specifiers).filter((key) => key.startsWith(`${name}@`));
    return keys.length > 0 && keys.every((key) => this.#addSpecifier(key));
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
    // Where one range of a package is in use, its dependents leave the range out.
    return (entry.dependencies ?? []).every((name) => {
      const at = name.indexOf("@", "jsr:@".length);
      return at === -1 ? this.#addRange(name, "") : this.#addRange(name.slice(0, at), name.slice(at));
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
