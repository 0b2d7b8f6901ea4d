import { ChatModelError, type ValidationIssue } from "../../types/mod.ts";
import { type ModelPermissions, parsePermissions } from "../permissions.ts";

/** How a model's code is kept apart from the process that loads it. */
export interface SandboxOptions {
  /**
   * What the code of a file that was not logged may do, beside reading its own folder. What a logged model may do is in
   * its package, and cannot be given here.
   *
   * @default {{}}
   */
  readonly permissions?: ModelPermissions;
  /**
   * Milliseconds that the model may go without letting anything else run, while calls wait for it: then its worker is
   * ended, as it most likely loops for ever.
   *
   * @default {10_000}
   */
  readonly unresponsiveAfter?: number;
  /** Ends the sandbox: its worker keeps the process alive until then. Calls that run fail, and so do later ones. */
  readonly signal?: AbortSignal;
}

const DEFAULT_UNRESPONSIVE_AFTER = 10_000;
/** The longest that a timer can wait. */
const LONGEST = 2 ** 31 - 1;

/** Options with their defaults. */
export interface ReadSandboxOptions {
  readonly permissions?: ModelPermissions;
  readonly unresponsiveAfter: number;
  readonly signal?: AbortSignal;
}

/** The option `sandbox` of `loadModel`, with defaults; `undefined` if no sandbox is wanted. */
export function readSandboxOptions(sandbox: boolean | SandboxOptions | undefined): ReadSandboxOptions | undefined {
  if (sandbox === undefined || sandbox === false) return undefined;
  const { permissions, unresponsiveAfter = DEFAULT_UNRESPONSIVE_AFTER, signal } = sandbox === true ? {} : sandbox;
  return {
    unresponsiveAfter,
    ...(permissions !== undefined && { permissions: parsePermissions(permissions) }),
    ...(signal !== undefined && { signal }),
  };
}

/** Looks at the option's value, where no types did. */
export function sandboxOption(value: unknown): ValidationIssue | undefined {
  if (typeof value === "boolean") return undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { path: "", message: "must be true, false or an object of permissions, unresponsiveAfter and signal" };
  }
  for (const [name, member] of Object.entries(value)) {
    const message = member === undefined ? undefined : problemOf(name, member);
    if (message !== undefined) return { path: name, message };
  }
  return undefined;
}

function problemOf(name: string, value: unknown): string | undefined {
  switch (name) {
    case "permissions":
      try {
        parsePermissions(value);
        return undefined;
      } catch (error) {
        if (ChatModelError.isInstance(error)) return error.message;
        throw error;
      }
    case "unresponsiveAfter":
      return typeof value === "number" && value >= 100 && value <= LONGEST
        ? undefined
        : `must be a number of milliseconds from 100 to ${LONGEST}`;
    case "signal":
      return value instanceof AbortSignal ? undefined : "must be an AbortSignal";
    default:
      return "is no option: it has permissions, unresponsiveAfter and signal";
  }
}
