import { suggestion } from "../_near_names.ts";
import { ValidationError, type ValidationIssue } from "../types/mod.ts";
import type { OptionCheck } from "./_option_checks.ts";

/**
 * Names of all options of a kind: an interface's members, none of them forgotten. With each how its value is checked, or
 * `true` where whoever uses it checks it.
 */
export type OptionNames<Options> = { readonly [Name in keyof Required<Options>]: true | OptionCheck };

/** Why an option that MLflow has is none here. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["python_model", 'is no option: the path of the model\'s file is given as "model"'],
  ["streamable", "cannot be given: every chat model streams, as predict and predictStream follow from each other"],
  [
    "signature",
    "cannot be given: a chat model has MLflow's one signature, and a custom model's follows from its inputExample",
  ],
]);

/**
 * Refuses options that do not exist, or have wrong values, where no types did: a slip would be lost without a word.
 *
 * @param action The action that fails, such as "save model".
 * @param options What was given.
 * @param names The options that there are.
 * @returns The options without those that are `null`: they count as left out, as Python's `None` does.
 * @throws {ValidationError} If it is no object, or has other options: each is named, with the one that was meant.
 */
export function checkOptions<Options extends object>(
  action: string,
  options: Options,
  names: OptionNames<Options>,
): Options {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new ValidationError(`Cannot ${action}`, [{ path: "options", message: "must be an object" }]);
  }
  const checks = new Map<string, true | OptionCheck>(Object.entries(names));
  const issues: ValidationIssue[] = [];
  for (const [name, value] of Object.entries(given)) {
    // An option that is undefined is one that was left out.
    if (value === undefined) continue;
    const check = checks.get(name);
    if (check === undefined) {
      issues.push({
        path: name,
        message: REASONS.get(name) ?? `is no option: ${suggestion(name, [...checks.keys()])}`,
      });
    } else if (check !== true && value !== null) {
      const issue = check(value);
      if (issue !== undefined) issues.push({ ...issue, path: issue.path === "" ? name : `${name}.${issue.path}` });
    }
  }
  if (issues.length > 0) throw new ValidationError(`Cannot ${action}`, issues);
  const present = { ...options };
  for (const [name, value] of Object.entries(present)) if (value === null) Reflect.deleteProperty(present, name);
  return present;
}
