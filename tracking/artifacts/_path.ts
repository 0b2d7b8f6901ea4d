import { TrackingError } from "../errors.ts";

/** What a path is for. */
export interface CheckPathOptions {
  /** Whether "" is right: the root itself. @default {false} */
  readonly allowRoot?: boolean;
  /** Whether something is to be stored under it. @default {false} */
  readonly forWriting?: boolean;
}

// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL_REGEXP = /[\u0000-\u001f\u007f-\u009f]/;
const DRIVE_REGEXP = /^[a-z]:(?:$|\/)/i;
const ESCAPE_REGEXP = /%[0-9a-f]{2}/i;
/** Names of files that are not complete yet. */
const TEMPORARY_REGEXP = /^\.upload-[0-9a-f]{8}-[0-9a-f-]{27}$/;

/**
 * Refuses a path of an artifact that leads out of its root, or that MLflow's server would understand otherwise: it
 * decodes percent signs again and again.
 *
 * @param path The path, with `/`.
 * @param options What it is for.
 * @throws {TrackingError} With `INVALID_PARAMETER_VALUE`, and what is wrong with it.
 */
export function checkArtifactPath(path: string, options: CheckPathOptions = {}): void {
  const { allowRoot = false, forWriting = false } = options;
  if (path === "" && allowRoot) return;
  const fault = faultOf(path) ?? (forWriting ? faultOfNewName(path) : undefined);
  if (fault === undefined) return;
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot use artifact path ${JSON.stringify(path)}: ${fault}. Give a path such as "folder/file.txt"`,
  );
}

/** A name for what is not complete yet, which no list shows. */
export function temporaryName(): string {
  return `.upload-${crypto.randomUUID()}`;
}

/** Whether a name is that of something that is not complete yet. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY_REGEXP.test(name);
}

/** Path of what lies in a folder; "" is the root. */
export function joinArtifactPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** By code units, as names sort in MLflow. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function faultOf(path: string): string | undefined {
  let decoded = path;
  for (;;) {
    const fault = faultOfForm(decoded);
    if (fault !== undefined) return decoded === path ? fault : `decoded, ${fault}`;
    const next = decodeEscapes(decoded);
    if (next === decoded) return undefined;
    decoded = next;
  }
}

function faultOfForm(path: string): string | undefined {
  if (path === "") return "it is empty";
  if (path.includes("\\")) return "it has a backslash";
  if (CONTROL_REGEXP.test(path)) return "it has a control character";
  if (path.startsWith("/") || DRIVE_REGEXP.test(path) || /^file:/i.test(path)) return "it is absolute";
  for (const segment of path.split("/")) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has the segment "${segment}"`;
    if (isTemporaryName(segment)) return `the name "${segment}" is reserved for files that are not complete yet`;
  }
  return undefined;
}

function faultOfNewName(path: string): string | undefined {
  if (path.includes("#")) return `MLflow's server refuses "#" in it`;
  if (ESCAPE_REGEXP.test(path)) return "MLflow's server would decode what stands behind the percent sign";
  if (!path.isWellFormed()) return "it has a lone surrogate";
  return undefined;
}

/** Escapes that make no sense stay, as for MLflow. */
function decodeEscapes(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    const bytes = escapes.slice(1).split("%").map((digits) => Number.parseInt(digits, 16));
    return new TextDecoder().decode(new Uint8Array(bytes));
  });
}
