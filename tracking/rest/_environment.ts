import { join } from "@std/path";
import { TrackingError } from "../errors.ts";

/** Reads a variable of the environment. */
export type ReadEnvironment = (name: string) => string | undefined;

/** Reads a variable if that is allowed already: no one is asked. */
export function readEnvironment(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/** Whether a variable says yes: `true` or `1`, as for MLflow. */
export function readFlag(env: ReadEnvironment, name: string, fallback = false): boolean {
  const value = env(name);
  if (value === undefined) return fallback;
  if (/^(?:true|1)$/i.test(value)) return true;
  if (/^(?:false|0)$/i.test(value)) return false;
  throw new TrackingError("INVALID_PARAMETER_VALUE", `Cannot use ${name}="${value}": set it to "true" or "false"`);
}

/** Number that a variable gives, within limits. */
export function readNumber(
  env: ReadEnvironment,
  name: string,
  options: { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  const { fallback, min, max } = options;
  const text = env(name);
  if (text === undefined || text.trim() === "") return fallback;
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot use ${name}="${text}": set it to a number from ${min} to ${max}`,
  );
}

/** A name and a password. */
export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Reads `~/.mlflow/credentials`; nothing if there is no such file, or if it may not be read. */
export async function readCredentialsFile(env: ReadEnvironment): Promise<Credentials> {
  const home = env("HOME") ?? env("USERPROFILE");
  if (home === undefined || home === "") return {};
  const path = join(home, ".mlflow", "credentials");
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") return {};
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return {};
    throw new TrackingError("PERMISSION_DENIED", `Cannot read credentials from "${path}": check who may read it`, {
      cause: error,
    });
  }
  const section = readIniSection(text, "mlflow");
  return { username: section.get("mlflow_tracking_username"), password: section.get("mlflow_tracking_password") };
}

/** One section of a file in the form of Python's configparser: `name = value` or `name: value`, `#` and `;` remarks. */
function readIniSection(text: string, wanted: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) continue;
    const header = /^\[(.+)\]/.exec(trimmed)?.[1];
    if (header !== undefined) section = header;
    else if (section === wanted) {
      const [, name = "", value = ""] = /^(.*?)\s*[=:]\s*(.*)$/.exec(trimmed) ?? [];
      // A percent sign is written twice there.
      if (name !== "") values.set(name.toLowerCase(), value.replaceAll("%%", "%"));
    }
  }
  return values;
}
