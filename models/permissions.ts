import * as v from "valibot";
import { ChatModelError } from "../types/mod.ts";

/** Everything of a kind, nothing, or only what is named. */
export type Permission = boolean | readonly string[];

/**
 * What a model's code may do when something else runs it, such as MLflow's Python: Deno's permissions. What is absent is
 * not allowed; reading its own folder always is.
 */
export interface ModelPermissions {
  /** Hosts that it may call, such as `127.0.0.1:11434`. */
  readonly net?: Permission;
  /** Environment variables that it may read. */
  readonly env?: Permission;
  /** Files and folders that it may read besides its own. */
  readonly read?: Permission;
  /** Files and folders that it may write. */
  readonly write?: Permission;
  /** Programs that it may run. */
  readonly run?: Permission;
  /** Facts of the system that it may ask for. */
  readonly sys?: Permission;
  /** Libraries that it may load. */
  readonly ffi?: Permission;
}

/** What most models need, and what is recorded unless something else is declared. */
export const DEFAULT_PERMISSIONS: ModelPermissions = { net: true, env: true };

const permission = v.optional(v.union([v.boolean(), v.array(v.pipe(v.string(), v.nonEmpty()))]));

const schema = v.strictObject({
  net: permission,
  env: permission,
  read: permission,
  write: permission,
  run: permission,
  sys: permission,
  ffi: permission,
});

/**
 * Reads permissions from JSON.
 *
 * @param value Such as `{"net": ["127.0.0.1:11434"], "env": ["OLLAMA_HOST"]}`.
 * @returns The permissions.
 * @throws {ChatModelError} With code `invalid_permissions`.
 */
export function parsePermissions(value: unknown): ModelPermissions {
  // To valibot, an array is an object, too.
  const result = v.safeParse(schema, Array.isArray(value) ? undefined : value);
  if (!result.success) {
    const [issue] = result.issues;
    const path = v.getDotPath(issue);
    throw new ChatModelError(
      `Cannot read permissions: ${path === null ? "they" : `"${path}"`} must be ${
        path === null
          ? "an object of net, env, read, write, run, sys and ffi"
          : "one of net, env, read, write, run, sys and ffi, with true, false or an array of names"
      }`,
      { code: "invalid_permissions" },
    );
  }
  return Object.fromEntries(Object.entries(result.output).filter(([, given]) => given !== undefined));
}
