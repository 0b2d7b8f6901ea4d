import { dirname, fromFileUrl, resolve } from "@std/path";
import * as v from "valibot";
import { packagingError, systemReason } from "./_packaging_error.ts";

const positionSchema = v.object({ line: v.number(), character: v.number() });
const resolutionSchema = v.object({
  specifier: v.exactOptional(v.string()),
  error: v.exactOptional(v.string()),
  span: v.exactOptional(v.object({ start: positionSchema, end: positionSchema })),
});
const dependencySchema = v.object({
  specifier: v.string(),
  code: v.exactOptional(resolutionSchema),
  type: v.exactOptional(resolutionSchema),
  isDynamic: v.optional(v.boolean(), false),
});
const moduleSchema = v.object({
  specifier: v.string(),
  kind: v.exactOptional(v.string()),
  error: v.exactOptional(v.string()),
  dependencies: v.optional(v.array(dependencySchema), []),
  typesDependency: v.exactOptional(v.object({ specifier: v.string(), dependency: resolutionSchema })),
});
const graphSchema = v.object({ roots: v.array(v.string()), modules: v.array(moduleSchema) });

/** Where one import leads, as Deno sees it. */
export type Resolution = v.InferOutput<typeof resolutionSchema>;

/** A module as `deno info --json` tells it. */
type InfoModule = v.InferOutput<typeof moduleSchema>;

/**
 * One place in a file that names another module. Deno tells of no more than one place for the code and one for the
 * types of each specifier, however often it stands in the file.
 */
export interface ImportSite {
  /** The specifier that Deno filed it under; text of the span, but for `@deno-types`. */
  readonly specifier: string;
  /** Where it leads. */
  readonly resolution: Resolution;
  /** Whether the code is loaded, or its types alone are looked at. */
  readonly kind: "code" | "types";
  /** Whether the file cannot run without it: neither types alone, nor imported while it runs. */
  readonly required: boolean;
}

/** The modules that a file needs. */
export interface ModuleGraph {
  /** Address of the file. */
  readonly root: string;
  /** What is wrong with a module, if it cannot be had. */
  errorOf(specifier: string): string | undefined;
  /** The imports of a module; none if it is not of the graph or not code. */
  importsOf(specifier: string): readonly ImportSite[];
}

/** Options for {@linkcode readModuleGraph}. */
export interface ReadModuleGraphOptions {
  /**
   * Whether to see the file as a machine sees it that has neither its deno.json nor the network.
   *
   * @default {false}
   */
  readonly isolated?: boolean;
  /** Lock file that Deno adds to; it keeps to what is in it. Default: none. */
  readonly lock?: string;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Has Deno tell which modules a file needs, under the configuration that Deno runs it with.
 *
 * @throws {ChatModelError} With code `permission_denied` without `--allow-run`; with `invalid_model_file` if Deno fails.
 */
export async function readModuleGraph(path: string, options: ReadModuleGraphOptions = {}): Promise<ModuleGraph> {
  const { isolated = false, lock } = options;
  const flags = isolated ? ["--no-config", "--no-remote", "--no-npm"] : [];
  flags.push(...(lock === undefined ? ["--no-lock"] : [`--lock=${lock}`, "--frozen=false"]));
  // --no-config alone still heeds a package.json in a folder above.
  const env: Record<string, string> = isolated ? { DENO_NO_PACKAGE_JSON: "1" } : {};
  const stdout = await runDeno(["info", "--json", ...flags, resolve(path)], {
    action: `read the imports of "${path}"`,
    // "deno info" looks for the deno.json from the working directory on, "deno run" from the file on.
    directory: dirname(resolve(path)),
    env,
    signal: options.signal,
  });
  const result = v.safeParse(graphSchema, parseJson(stdout));
  if (!result.success) {
    throw packagingError(
      "invalid_model_file",
      `Cannot read the imports of "${path}": Deno ${Deno.version.deno} answered "deno info" in an unknown form. Use Deno 2.9 or later`,
    );
  }
  return toGraph(result.output.roots, result.output.modules);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Refused by the schema, with the same advice as any other unknown form.
  }
}

function toGraph(roots: readonly string[], modules: readonly InfoModule[]): ModuleGraph {
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  return {
    root: roots[0] ?? "",
    errorOf: (specifier) => bySpecifier.get(specifier)?.error,
    importsOf: (specifier) => sitesOf(bySpecifier.get(specifier)),
  };
}

function sitesOf(module: InfoModule | undefined): ImportSite[] {
  if (module === undefined) return [];
  const sites: ImportSite[] = [];
  for (const { specifier, code, type, isDynamic } of module.dependencies) {
    if (code !== undefined) sites.push({ specifier, resolution: code, kind: "code", required: !isDynamic });
    if (type !== undefined && !sameSpan(type, code)) {
      sites.push({ specifier, resolution: type, kind: "types", required: false });
    }
  }
  if (module.typesDependency !== undefined) {
    const { specifier, dependency } = module.typesDependency;
    sites.push({ specifier, resolution: dependency, kind: "types", required: false });
  }
  return sites;
}

function sameSpan(one: Resolution, other: Resolution | undefined): boolean {
  return JSON.stringify(one.span) === JSON.stringify(other?.span);
}

/** Options for {@linkcode runDeno}. */
export interface RunDenoOptions {
  /** What is to be done, for errors. */
  readonly action: string;
  /** Where to run it. Default: the working directory. */
  readonly directory?: string;
  /** Variables in addition to those of this process. */
  readonly env?: Record<string, string>;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs Deno itself.
 *
 * @returns What it wrote to stdout.
 * @throws {ChatModelError} With code `permission_denied` without `--allow-run`; with `invalid_model_file` if it fails.
 */
export async function runDeno(args: string[], options: RunDenoOptions): Promise<string> {
  const { action, directory, env = {}, signal } = options;
  signal?.throwIfAborted();
  try {
    const command = new Deno.Command(Deno.execPath(), {
      args,
      env: { ...env, NO_COLOR: "1" },
      stdin: "null",
      ...(directory !== undefined && { cwd: directory }),
      ...(signal !== undefined && { signal }),
    });
    const { success, stdout, stderr } = await command.output();
    signal?.throwIfAborted();
    if (success) return new TextDecoder().decode(stdout);
    const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => line.startsWith("error"));
    throw packagingError(
      "invalid_model_file",
      `Cannot ${action}: ${systemReason(lines[0]?.replace(/^error: /, "") ?? `"deno ${args[0]}" failed`)}`,
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw mayNotRun(action, error);
  }
}

/**
 * Makes sure that {@linkcode runDeno} may run Deno; asks the user for it where Deno asks for permissions.
 *
 * @param action What is to be done, for errors.
 * @throws {ChatModelError} With code `permission_denied` without `--allow-run`.
 */
export async function requestDeno(action: string): Promise<void> {
  const { state } = await Deno.permissions.request({ name: "run", command: denoName() });
  if (state !== "granted") throw mayNotRun(action);
}

function mayNotRun(action: string, ...cause: [] | [unknown]): Error {
  return packagingError(
    "permission_denied",
    `Cannot ${action}: Deno has to be started for it, and the permission is missing. Run with --allow-run=${denoName()} --allow-read`,
    ...cause,
  );
}

function denoName(): string {
  try {
    return Deno.execPath();
  } catch {
    return "deno"; // Without read permission even the own path is secret.
  }
}

/** The path of a module on this machine; `undefined` if it is not a file. */
export function localPath(specifier: string): string | undefined {
  if (!specifier.startsWith("file:")) return undefined;
  const url = new URL(specifier);
  url.search = "";
  url.hash = "";
  return fromFileUrl(url);
}
