import { fromFileUrl, join } from "@std/path";

/** Where environments are kept from one run to the next. */
const CACHE = fromFileUrl(new URL("../.cache/interop/", import.meta.url));

/** The MLflow whose format and schema are written. */
export const NEWEST = "3.17.2";
/** An older one that many have. */
export const OLDER = "3.12.0";
/** The last one without logged models. */
export const MLFLOW_2 = "2.22.5";

/** What each version is installed with, besides itself. */
const REQUIREMENTS: { readonly [version: string]: readonly string[] } = {
  // For `--app-name basic-auth`, and for artifacts in S3 with something that stands for it.
  [NEWEST]: ["Flask-WTF==1.3.0", "boto3==1.44.5", "moto[server]==5.2.5"],
  // It says that any from 1.4 to 3 will do, but does not start with 2.1.
  [MLFLOW_2]: ["SQLAlchemy==2.0.58"],
};

/** A Python that has one version of MLflow. */
export interface Python {
  /** Version of MLflow. */
  readonly version: string;
  /** The interpreter. */
  readonly python: string;
  /** The command `mlflow`. */
  readonly mlflow: string;
}

/** Variables that keep genuine MLflow from calling home. */
export const QUIET: { readonly [name: string]: string } = {
  MLFLOW_DISABLE_TELEMETRY: "true",
  DO_NOT_TRACK: "true",
  PYTHONDONTWRITEBYTECODE: "1",
};

/**
 * Makes a Python with one version of MLflow, unless there is one from before.
 *
 * @throws {Error} If that cannot be done.
 */
export async function installMlflow(version: string): Promise<Python> {
  const python = await installPython(`mlflow-${version}`, [`mlflow==${version}`, ...REQUIREMENTS[version] ?? []]);
  return { version, python, mlflow: join(python, "../mlflow") };
}

/**
 * Makes a Python with packages, such as `mlflow==3.17.2`, unless there is one from before.
 *
 * @returns The interpreter.
 * @throws {Error} If that cannot be done.
 */
export async function installPython(name: string, requirements: readonly string[]): Promise<string> {
  const folder = join(CACHE, name);
  const python = join(folder, "bin", "python");
  const installed = await run(python, ["-c", VERSIONS_SCRIPT, ...requirements]);
  if (installed.success) return python;
  progress(`Installing ${requirements.join(", ")} into ${folder}`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements];
  // What lacks no more than a package gets that; anything else is made anew.
  if ((await run(python, pip)).success) return python;
  await Deno.mkdir(CACHE, { recursive: true });
  await Deno.remove(folder, { recursive: true }).catch(() => {}); // Not there, or made anew over what is left.
  if (!(await run("python3", ["-m", "venv", folder])).success) {
    // A Python without its own installer, as Debian ships it.
    await must("apt-get", ["update", "-qq"]);
    await must("apt-get", ["install", "-y", "-qq", "python3", "python3-venv"]);
    await must("python3", ["-m", "venv", folder]);
  }
  await must(python, pip);
  return python;
}

/** Fails unless all of its arguments, such as `mlflow==3.17.2`, are installed. */
const VERSIONS_SCRIPT = `
import importlib.metadata, sys
for name, version in (argument.split("==") for argument in sys.argv[1:]):
    assert importlib.metadata.version(name.split("[")[0]) == version, name
`;

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: { readonly [name: string]: string } } = {},
): Promise<Ended> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], ...options }).output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { success: false, stdout: "", stderr: `there is no "${command}"` };
  }
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await run(command, args);
  if (!success) throw new Error(`${command} ${args.join(" ")} failed: ${stderr.trim()}`);
}

/** Tells what is going on. */
export function progress(text: string): void {
  // deno-lint-ignore no-console -- a command talks to its user
  console.error(text);
}
