import { join, resolve } from "@std/path";
import { ChatModelError } from "../../types/mod.ts";
import { LOCK_FILE } from "../_lock.ts";
import type { ModelPermissions, Permission } from "../permissions.ts";
import type { MissingPermission } from "./_thrown.ts";

/** Folders of this package that a model may import from and that its worker has not imported already. */
const OWN_SOURCES = ["adapters", "models", "registry", "serving", "signature", "std", "streaming", "tracking", "types"];

/** What a sandbox needs to know of a model. */
export interface SandboxedPackage {
  /** Name of the model, for errors. */
  readonly name: string;
  /** The folder that it may always read: its package, or that of its file. */
  readonly folder: string;
  /** What it declares. */
  readonly permissions: ModelPermissions;
}

/**
 * Deno's permissions for a model's worker: what is declared, reading its own folder, and what Deno needs to import the
 * packages that are in its lock file. Those of npm need none.
 *
 * @param model The model.
 * @returns The permissions.
 * @throws {ChatModelError} With code `permission_denied` if this process lacks one of them itself.
 */
export async function workerPermissions(model: SandboxedPackage): Promise<Deno.PermissionOptionsObject> {
  const { folder, permissions } = model;
  await checkOwn(model);
  const own = [folder, await realPath(folder), ...await ownSources()];
  const { read = [] } = permissions;
  return {
    net: forWorker(permissions.net),
    env: forWorker(permissions.env),
    read: read === true ? true : [...new Set([...own, ...paths(read)])],
    write: typeof permissions.write === "object" ? forWorker(paths(permissions.write)) : forWorker(permissions.write),
    run: forWorker(permissions.run),
    sys: forWorker(permissions.sys),
    ffi: forWorker(permissions.ffi),
    import: await importHosts(folder),
  };
}

function forWorker(permission: Permission = false): boolean | string[] {
  return typeof permission === "boolean" ? permission : permission.length === 0 ? false : [...permission];
}

/** From the working directory, as everywhere in Deno; a worker's would be from the file that makes it. */
function paths(permission: Permission): string[] {
  return typeof permission === "boolean" ? [] : permission.map((path) => resolve(path));
}

async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    return path; // May not be asked for by this process: then it is the path as it was given.
  }
}

/** Where this package's own sources are, if they are files; those that this process may not read are left out. */
async function ownSources(): Promise<string[]> {
  const root = new URL("../../", import.meta.url);
  if (root.protocol !== "file:") return [];
  const found: string[] = [];
  for (const folder of OWN_SOURCES) {
    const path = new URL(`${folder}/`, root);
    const { state } = await Deno.permissions.query({ name: "read", path });
    if (state === "granted") found.push(join(import.meta.dirname ?? "", "../..", folder));
  }
  return found;
}

/** Hosts that code may be imported from: where this package is from, and what the model's lock file names. */
async function importHosts(folder: string): Promise<"inherit" | boolean | string[]> {
  const own = new URL(import.meta.url);
  const isRemote = own.protocol !== "file:";
  const { jsr, remote } = await lockedImports(folder);
  // Where the packages of JSR are, Deno alone knows: its own rule for that is the narrowest that there is.
  if (jsr && !isRemote) return "inherit";
  const hosts = new Set([...(isRemote ? [own] : []), ...remote].map(hostOf));
  return hosts.size === 0 ? false : [...hosts];
}

function hostOf({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
}

async function lockedImports(folder: string): Promise<{ readonly jsr: boolean; readonly remote: readonly URL[] }> {
  let lock: unknown;
  try {
    lock = JSON.parse(await Deno.readTextFile(join(folder, LOCK_FILE)));
  } catch {
    return { jsr: false, remote: [] }; // No lock: then it imports nothing that would have to be fetched.
  }
  const addresses = ["remote", "redirects"].flatMap((name) => keysOf(lock, name));
  return {
    jsr: keysOf(lock, "jsr").length > 0,
    remote: addresses.filter((url) => URL.canParse(url)).map((url) => new URL(url)),
  };
}

function keysOf(value: unknown, name: string): string[] {
  const part: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return typeof part === "object" && part !== null ? Object.keys(part) : [];
}

async function checkOwn({ name, permissions }: SandboxedPackage): Promise<void> {
  const lacking: string[] = [];
  for (const [kind, permission] of Object.entries(permissions)) {
    const wanted: readonly (string | undefined)[] = permission === true ? [undefined] : permission || [];
    const missing: (string | undefined)[] = [];
    for (const what of wanted) if (!await isGranted(kind, what)) missing.push(what);
    if (missing.length === 0) continue;
    lacking.push(missing[0] === undefined ? `--allow-${kind}` : `--allow-${kind}=${missing.join(",")}`);
  }
  if (lacking.length === 0) return;
  const flags = lacking.map((flag) => `"${flag}"`).join(" ");
  throw new ChatModelError(
    `Cannot load model "${name}" into a sandbox: its package declares permissions that this process does not have itself. ` +
      `Run with ${flags}, or log the model with fewer permissions`,
    { code: "permission_denied" },
  );
}

async function isGranted(kind: string, what: string | undefined): Promise<boolean> {
  const descriptor = descriptorOf(kind, what);
  return descriptor === undefined || (await Deno.permissions.query(descriptor)).state === "granted";
}

/** Of one fact of the system nothing is asked here: Deno refuses to make the worker if it is lacking. */
function descriptorOf(kind: string, what: string | undefined): Deno.PermissionDescriptor | undefined {
  switch (kind) {
    case "net":
      return { name: "net", ...(what !== undefined && { host: what }) };
    case "env":
      return { name: "env", ...(what !== undefined && { variable: what }) };
    case "run":
      return { name: "run", ...(what !== undefined && { command: what }) };
    case "read":
    case "write":
    case "ffi":
      return { name: kind, ...(what !== undefined && { path: what }) };
    case "sys":
      return what === undefined ? { name: "sys" } : undefined;
    default:
      return undefined;
  }
}

/** What is not done for lack of a permission, by Deno's name for it: something, or anything of the kind. */
const DEEDS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["read", ["read", "read files in general"]],
  ["write", ["write", "write files in general"]],
  ["net", ["connect to", "connect to hosts in general"]],
  ["env", ["read the environment variable", "read environment variables in general"]],
  ["run", ["run", "run programs in general"]],
  ["sys", ["ask the system for", "ask the system for facts in general"]],
  ["ffi", ["load the library", "load libraries in general"]],
  ["import", ["import code from", "import code from hosts in general"]],
]);

/**
 * The error of a model that reached for what it did not declare.
 *
 * @param missing What is missing.
 * @param model The model.
 * @returns The error; it has no stack of the model's, as it is complete without.
 */
export function permissionError(
  { kind, what }: MissingPermission,
  { name, permissions }: SandboxedPackage,
): ChatModelError {
  const [some, any] = DEEDS.get(kind) ?? ["use", `use ${kind}`];
  const deed = what === undefined ? any : `${some} ${what}`;
  const all: readonly (readonly [string, Permission])[] = Object.entries(permissions);
  const declared = all.find(([known]) => known === kind)?.[1] ?? false;
  const names = typeof declared === "boolean" ? [] : declared.map((item) => `"${item}"`);
  const own = kind === "read" ? ["its own folder"] : [];
  const allowed = [...own, ...names].join(", ");
  const declares = allowed === ""
    ? `its package declares no ${kind} access`
    : `its package declares ${kind} access to ${allowed}`;
  const remedy = kind === "import"
    ? "Import it in the model's file by its full address, and log the model anew"
    : `Log it with permissions { ${kind}: ${
      what === undefined ? "true" : `[${[...names, what].join(", ")}]`
    } } if it is meant to`;
  return new ChatModelError(`Model "${name}" may not ${deed}: ${declares}. ${remedy}`, { code: "permission_denied" });
}
