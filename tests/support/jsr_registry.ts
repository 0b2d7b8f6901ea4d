/** A stand-in, on this machine, for the registry that the package is published to: Deno uses the one of `JSR_URL`. */

import { createHash } from "node:crypto";
import { join } from "@std/path";
import * as v from "valibot";
import { ROOT } from "./command.ts";

const configSchema = v.object({
  name: v.string(),
  version: v.string(),
  exports: v.union([v.string(), v.record(v.string(), v.string())]),
  imports: v.optional(v.record(v.string(), v.string()), {}),
  publish: v.optional(
    v.union([
      v.literal(false),
      v.object({ include: v.array(v.string()), exclude: v.optional(v.array(v.string()), []) }),
    ]),
    false,
  ),
  workspace: v.optional(v.array(v.string()), []),
});

type PackageConfig = v.InferOutput<typeof configSchema>;

/** A package as it is published. */
export interface PublishedPackage {
  /** Name with its scope, such as `@std/path`. */
  readonly name: string;
  /** Its only version. */
  readonly version: string;
  /** Entry points: what is behind the name, and the file. */
  readonly exports: { readonly [name: string]: string };
  /** For each path in the package, such as `/mod.ts`, what is in the file. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** A running registry. */
export interface JsrRegistry extends AsyncDisposable {
  /** Its address, for the variable `JSR_URL`. */
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly paths: readonly string[];
  /** Those of them that it does not have. */
  readonly missing: readonly string[];
}

/** Starts a registry that has this package and the members of its workspace. */
export async function startJsrRegistry(): Promise<JsrRegistry> {
  const config = await readConfig(ROOT);
  const folders = [ROOT, ...config.workspace.map((member) => join(ROOT, member))];
  const answers = new Map((await Promise.all(folders.map(readPackage))).flatMap(answersOf));
  const paths: string[] = [];
  const missing: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    paths.push(path);
    const answer = answers.get(path);
    if (answer !== undefined) return new Response(answer.body, { headers: { "content-type": answer.type } });
    missing.push(path);
    return new Response("Not found", { status: 404 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    paths,
    missing,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

interface Answer {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer> | string;
}

/** What the registry answers for a package: what versions it has, what a version has, and its files. */
function answersOf({ name, version, exports, files }: PublishedPackage): [string, Answer][] {
  const [scope = "", simpleName = ""] = name.slice(1).split("/");
  const manifest = Object.fromEntries(
    [...files].map(([path, bytes]) => [path, { size: bytes.length, checksum: `sha256-${sha256(bytes)}` }]),
  );
  return [
    [`/${name}/meta.json`, json({ scope, name: simpleName, latest: version, versions: { [version]: {} } })],
    [`/${name}/${version}_meta.json`, json({ manifest, exports })],
    ...[...files].map(([path, body]): [string, Answer] => [`/${name}/${version}${path}`, { type: typeOf(path), body }]),
  ];
}

function json(value: unknown): Answer {
  return { type: "application/json", body: JSON.stringify(value) };
}

function typeOf(path: string): string {
  if (path.endsWith(".ts")) return "text/typescript";
  return path.endsWith(".json") ? "application/json" : "text/plain";
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function readConfig(folder: string): Promise<PackageConfig> {
  return v.parse(configSchema, JSON.parse(await Deno.readTextFile(join(folder, "deno.json"))));
}

/**
 * A package as `deno publish` makes it of its folder: the files that its `deno.json` names, with full specifiers in
 * place of the names of its import map. A member of the workspace that is not published itself has all its files.
 *
 * @param folder The package's folder.
 * @returns The package.
 */
export async function readPackage(folder: string): Promise<PublishedPackage> {
  const { name, version, exports, imports, publish } = await readConfig(folder);
  const { include, exclude } = publish === false ? { include: [""], exclude: [] } : publish;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const entry of include) {
    for (const path of await filesOf(folder, entry.replace(/\/$/, ""))) {
      if (exclude.some((excluded) => path.startsWith(excluded))) continue;
      const bytes = await Deno.readFile(join(folder, path));
      files.set(`/${path}`, path.endsWith(".ts") ? withFullSpecifiers(bytes, imports) : bytes);
    }
  }
  return { name, version, exports: typeof exports === "string" ? { ".": exports } : exports, files };
}

/** Paths of a file, or of all files below a folder. */
async function filesOf(folder: string, path: string): Promise<string[]> {
  if ((await Deno.stat(join(folder, path))).isFile) return [path];
  const found = await Promise.all(
    (await Array.fromAsync(Deno.readDir(join(folder, path)))).map(({ name }) =>
      filesOf(folder, path === "" ? name : `${path}/${name}`)
    ),
  );
  return found.flat().sort();
}

/** Where a specifier stands in a line of code that is no comment. */
const SPECIFIER = /^(?! *(?:\*|\/\/))(.*?\b(?:from |import |import\())"([^".][^"]*)"/gm;

function withFullSpecifiers(
  bytes: Uint8Array<ArrayBuffer>,
  imports: PackageConfig["imports"],
): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(bytes);
  return new TextEncoder().encode(
    text.replace(SPECIFIER, (all, before: string, specifier: string) => {
      const name = Object.keys(imports).find((name) => specifier === name || specifier.startsWith(`${name}/`));
      return name === undefined ? all : `${before}"${imports[name]}${specifier.slice(name.length)}"`;
    }),
  );
}
