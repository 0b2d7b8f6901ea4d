import { checkLength } from "../tracking/limits.ts";
import { invalid } from "./_rules.ts";

/**
 * Refuses a name of a registered model that URIs could not hold.
 *
 * @param action What fails, such as "log model".
 * @param name The name.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE`.
 */
export function checkName(action: string, name: string): void {
  if (name.trim() === "") throw invalid(action, "the name is empty");
  const [found] = /[/:]/.exec(name) ?? [];
  if (found !== undefined) throw invalid(action, `the name "${name}" holds "${found}", which URIs of models need`);
  if (name === "." || name === "..") throw invalid(action, `the name "${name}" is another one when read as a path`);
  checkLength(action, "the name", { text: name, limit: 256 });
}

/**
 * Refuses an alias that is something else in a URI.
 *
 * @param action What fails, such as "set alias".
 * @param alias The alias.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE`.
 */
export function checkAlias(action: string, alias: string): void {
  if (!/^[\p{L}\p{N}_-]{1,255}$/u.test(alias)) {
    throw invalid(action, `the alias "${alias}" must be 1 to 255 letters, digits, "_" or "-"`);
  }
  if (/^(?:latest|v\d+)$/i.test(alias)) {
    throw invalid(action, `the alias "${alias}" is reserved: "latest" and "v" with a number mean versions`);
  }
}
