import { CommandError } from "../_command_error.ts";
import type { ViewType } from "../tracking/mod.ts";
import type { Flag } from "./command.ts";

/** MLflow's words for which things are wanted, and short ones. */
const VIEWS: ReadonlyMap<string, ViewType> = new Map([
  ["active_only", "active"],
  ["deleted_only", "deleted"],
  ["all", "all"],
  ["active", "active"],
  ["deleted", "deleted"],
]);

/** The flag that says which things are wanted. */
export const VIEW: Flag = {
  value: "active_only|deleted_only|all",
  short: "v",
  help: "Which ones (default: active_only)",
};

/**
 * Which things are wanted.
 *
 * @throws {CommandError} With exit code 2 if it is none of the words.
 */
export function viewOf(text: string | undefined): ViewType {
  const view = text === undefined ? "active" : VIEWS.get(text.toLowerCase());
  if (view !== undefined) return view;
  throw new CommandError(`--view must be "active_only", "deleted_only" or "all", but is "${text}"`, 2);
}

/**
 * Names and values, written `NAME=VALUE`.
 *
 * @throws {CommandError} With exit code 2 if one of them has no name.
 */
export function pairsOf(flag: string, texts: readonly string[]): { [name: string]: string } {
  return Object.fromEntries(texts.map((text) => {
    const separator = text.indexOf("=");
    if (separator < 1) throw new CommandError(`--${flag} must be written NAME=VALUE, but is "${text}"`, 2);
    return [text.slice(0, separator), text.slice(separator + 1)];
  }));
}

/**
 * JSON that is given itself, or in a file.
 *
 * @throws {CommandError} With exit code 2 if it is neither JSON nor a file of JSON.
 */
export async function jsonOf(flag: string, text: string): Promise<unknown> {
  const inline = /^\s*[[{"]/.test(text);
  let source = text;
  if (!inline) {
    try {
      source = await Deno.readTextFile(text);
    } catch (cause) {
      const why = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
      throw new CommandError(`--${flag} must be JSON or a file of JSON, but is "${text}": ${why}`, 2, { cause });
    }
  }
  try {
    return JSON.parse(source);
  } catch (cause) {
    const where = inline ? "the value" : `"${text}"`;
    throw new CommandError(`--${flag}: ${where} is not valid JSON: ${firstLine(cause)}`, 2, { cause });
  }
}

/**
 * The number that a flag is given, from 1.
 *
 * @throws {CommandError} With exit code 2 if it is no such number.
 */
export function countOf(
  flag: string,
  text: string | undefined,
  { fallback, most }: { readonly fallback: number; readonly most: number },
): number {
  if (text === undefined) return fallback;
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= most) return Number(text);
  throw new CommandError(`--${flag} must be a whole number from 1 to ${most}, but is "${text}"`, 2);
}

function firstLine(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n", 1);
  return line;
}
