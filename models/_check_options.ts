import { suggestion } from "../_near_names.ts";
import { ValidationError } from "../types/mod.ts";

/** Names of all options of a kind: an interface's members, none of them forgotten. */
export type OptionNames<Options> = { readonly [Name in keyof Required<Options>]: true };

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
 * Refuses options that do not exist, where no types did: a slip would be lost without a word.
 *
 * @param action The action that fails, such as "save model".
 * @param options What was given.
 * @param names The options that there are.
 * @throws {ValidationError} If it is no object, or has other options: each is named, with the one that was meant.
 */
export function checkOptions<Options extends object>(
  action: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new ValidationError(`Cannot ${action}`, [{ path: "options", message: "must be an object" }]);
  }
  const known = Object.keys(names);
  const issues = Object.entries(given)
    // An option that is undefined is one that was left out.
    .filter(([name, value]) => value !== undefined && !known.includes(name))
    .map(([name]) => ({ path: name, message: REASONS.get(name) ?? `is no option: ${suggestion(name, known)}` }));
  if (issues.length > 0) throw new ValidationError(`Cannot ${action}`, issues);
}
