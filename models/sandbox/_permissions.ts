import { join, resolve } from "@std/path";
import { ChatModelError } from "../../types/mod.ts";
import { LOCK_FILE } from "../_lock.ts";
import type { ModelPermissions, Permission } from "../permissions.ts";
import type { MissingPermission } from "./_thrown.ts";

/** Folders of this package that a model may import from and that its worker has not imported already. */
const OWN_SOURCES = ["adapters", "models", "registry", "serving", "signature", "std", "streaming", "tracking", "types"];

/** The server's own secrets: no package gets them, even if it asks for them by name. */
const SECRETS = ["CHATMODEL_API_KEYS", "CHATMODEL_UPSTREAM_API_KEY"];

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
 * What of a model's permissions a sandbox gives: what is named. All of a kind, which is also what is recorded of a model
 * that declares nothing, is for whoever runs it without one: it would hold the server's own secrets and its inner hosts.
 *
 * @param permissions What the model declares.
 * @returns For each kind the names, without those of the server's secrets.
 */
export function namedPermissions(permissions: ModelPermissions): { readonly [kind: string]: readonly string[] } {
  const declared: readonly (readonly [string, Permission])[] = Object.entries(permissions);
  return Object.fromEntries(
    declared.map(([kind, permission]) => [
      kind,
      typeof permission === "boolean" ? [] : permission.filter((name) => isGivable(kind, name)),
    ]),
  );
}

/** A debugger sees into Deno's own functions, and so past what a worker was taken away. */
function isGivable(kind: string, name: string): boolean {
  return kind === "env" ? isNoSecret(name) : kind !== "sys" || name !== "inspector";
}

/** Deno takes a star at the end of a variable's name for any end, and Windows knows no case. */
function isNoSecret(variable: string): boolean {
  const name = variable.toUpperCase();
  return !SECRETS.some((secret) => name.endsWith("*") ? secret.startsWith(name.slice(0, -1)) : secret === name);
}

/**
 * Deno's permissions for a model's worker: what is declared by name, reading its own folder, and what Deno needs to
 * import the packages that are in its lock file. Those of npm need none.
 *
 * @param model The model.
 * @returns The permissions.
 * @throws {ChatModelError} With code `permission_denied` if this process lacks one of them itself.
 */
export async function workerPermissions(model: SandboxedPackage): Promise<Deno.PermissionOptionsObject> {
  const { folder } = model;
  await checkOwn(model);
  const own = [folder, await realPath(folder), ...await ownSources()];
  const { net, env, read = [], write = [], run, sys, ffi } = namedPermissions(model.permissions);
  return {
    net: forWorker(net),
    env: forWorker(env),
    read: [...new Set([...own, ...paths(read)])],
    write: forWorker(paths(write)),
    run: forWorker(run),
    sys: forWorker(sys),
    ffi: forWorker(ffi),
    import: await importHosts(folder),
  };
}

function forWorker(names: readonly string[] = []): false | string[] {
  return names.length === 0 ? false : [...names];
}

/** From the working directory, as everywhere in Deno; a worker's would be from the file that makes it. */
function paths(names: readonly string[]): string[] {
  return names.map((path) => resolve(path));
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
  for (const [kind, wanted] of Object.entries(namedPermissions(permissions))) {
    const missing: string[] = [];
    for (const what of wanted) if (!await isGranted(kind, what)) missing.push(what);
    if (missing.length > 0) lacking.push(`--allow-${kind}=${missing.join(",")}`);
  }
  if (lacking.length === 0) return;
  const flags = lacking.map((flag) => `"${flag}"`).join(" ");
  throw new ChatModelError(
    `Cannot load model "${name}" into a sandbox: its package declares permissions that this process does not have itself. ` +
      `Run with ${flags}, or log the model with fewer permissions`,
    { code: "permission_denied" },
  );
}

async function isGranted(kind: string, what: string): Promise<boolean> {
  const descriptor = descriptorOf(kind, what);
  return descriptor === undefined || (await Deno.permissions.query(descriptor)).state === "granted";
}

/** Of one fact of the system nothing is asked here: Deno refuses to make the worker if it is lacking. */
function descriptorOf(kind: string, what: string): Deno.PermissionDescriptor | undefined {
  switch (kind) {
    case "net":
      return { name: "net", host: what };
    case "env":
      return { name: "env", variable: what };
    case "run":
      return { name: "run", command: what };
    case "read":
    case "write":
    case "ffi":
      return { name: kind, path: what };
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
  const declares = declared === true
    ? `its package declares all ${kind} access, which a sandbox does not give`
    : allowed === ""
    ? `its package declares no ${kind} access`
    : `its package declares ${kind} access to ${allowed}`;
  return new ChatModelError(
    `Model "${name}" may not ${deed}: ${declares}. ${remedyFor({ kind, ...(what !== undefined && { what }) }, names)}`,
    { code: "permission_denied" },
  );
}

/** What an item of a kind is called where it is declared. */
const ITEMS: ReadonlyMap<string, string> = new Map([
  ["net", "host"],
  ["env", "name"],
  ["sys", "name"],
]);

function remedyFor({ kind, what }: MissingPermission, names: readonly string[]): string {
  if (kind === "import") return "Import it in the model's file by its full address, and log the model anew";
  if (kind === "env" && what !== undefined && !isNoSecret(what.replaceAll('"', ""))) {
    return "It is a secret of the server's, which no model in a sandbox gets. Use a variable of another name";
  }
  if (what === undefined) {
    return `A sandbox gives ${kind} access only to what is named: log it with --permissions, ${kind} by ${
      ITEMS.get(kind) ?? "path"
    }, and reach for no more than that`;
  }
  const permissions = `{ ${kind}: [${[...names, what].join(", ")}] }`;
  return `Log it with permissions ${permissions} if it is meant to (--permissions: net by host, env by name)`;
}
