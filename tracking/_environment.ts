import { TrackingError } from "./errors.ts";

/** Variables that decide where things are written: without leave to read them, no default is taken in silence. */
export type DecidingVariable =
  | "MLFLOW_TRACKING_URI"
  | "MLFLOW_REGISTRY_URI"
  | "MLFLOW_EXPERIMENT_NAME"
  | "MLFLOW_EXPERIMENT_ID";

/**
 * Reads a variable that decides where things are written. Never prompts.
 *
 * @param variable Its name.
 * @param instead What the caller could do instead, such as "call setTrackingUri()".
 * @returns Its value; `undefined` if it is unset, empty, or if reading it was denied outright (`--deny-env`).
 * @throws {TrackingError} If no one has decided whether it may be read.
 */
export function readDecidingVariable(variable: DecidingVariable, instead: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state === "prompt") {
    throw new TrackingError(
      "PERMISSION_DENIED",
      `Cannot read the environment variable "${variable}", which decides where runs go: ` +
        `run with --allow-env=MLFLOW_*, or ${instead}, or go without by --deny-env=${variable}`,
      { code: "permission_denied" },
    );
  }
  return readVariable(variable);
}

/**
 * Reads a variable if that is allowed already. Never prompts.
 *
 * @param variable Its name.
 * @returns Its value; `undefined` if it is unset, empty, or may not be read.
 */
export function readVariable(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) || undefined : undefined;
}
