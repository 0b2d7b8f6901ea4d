import { fromFileUrl, join } from "@std/path";
import { type Python, QUIET, run } from "./_python.ts";
import type { Report } from "./_report.ts";

/** Where the scripts are. */
export const HERE: string = fromFileUrl(new URL("./", import.meta.url));
/** What scripts are run with, wherever they are run. */
export const CONFIG: string = fromFileUrl(new URL("../deno.json", import.meta.url));

/** What all parts need. */
export interface Context {
  /** Takes note of each check. */
  readonly report: Report;
  /** Address of what stands for Ollama. */
  readonly ollama: string;
}

/** Where and with what a script runs. */
export interface ScriptOptions {
  /** Working directory. */
  readonly cwd: string;
  /** Variables, besides this program's own. */
  readonly env: { readonly [name: string]: string };
  /** Arguments. */
  readonly args?: readonly string[];
}

/**
 * Runs a script of this folder with Deno, as a program of its own.
 *
 * @throws {Error} What it said, if it failed.
 */
export async function runDeno(script: string, options: ScriptOptions): Promise<string> {
  const { cwd, env, args = [] } = options;
  const ended = await run(Deno.execPath(), ["run", "-A", "--config", CONFIG, join(HERE, script), ...args], {
    cwd,
    env: { ...env, NO_COLOR: "1" },
  });
  if (!ended.success) throw new Error(ended.stderr.trim().slice(-1500));
  return ended.stdout.trim();
}

/** Runs a script of checks in Python. */
export async function runChecks(
  { report }: Context,
  where: string,
  options: ScriptOptions & { readonly python: Python; readonly script: string },
): Promise<void> {
  const { python, script, cwd, env, args = [] } = options;
  const ended = await run(python.python, [join(HERE, script), ...args], {
    cwd,
    env: { ...QUIET, CHATMODEL_DENO: Deno.execPath(), ...env, PYTHONPATH: HERE },
  });
  report.script(where, ended.stdout, ended.stderr);
}

/** Runs a suite of this folder by `deno test`. */
export async function runSuite(
  { report }: Context,
  title: string,
  options: { readonly script: string; readonly env: { readonly [name: string]: string } },
): Promise<void> {
  const ended = await run(
    Deno.execPath(),
    ["test", "-A", "--config", CONFIG, join(HERE, options.script)],
    { env: { ...options.env, NO_COLOR: "1" } },
  );
  report.suite(title, `${ended.stdout}\n${ended.stderr}`);
}
