/** Flags that may be given for single models, as in `--timeout slow=60000`. */

/** A number for all models, and others for single ones. */
export interface ModelNumbers {
  readonly all: number;
  readonly byModel: ReadonlyMap<string, number>;
}

/** The flag that says what. */
export interface NumberFlag {
  readonly flag: string;
  /** What it is for all models where nothing is said. */
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Reads the values of a flag: `N` for all models, `NAME=N` for one.
 *
 * @param texts The values.
 * @param flag The flag.
 * @param fail Makes the error of a wrong one.
 * @returns The numbers.
 */
export function readModelNumbers(
  texts: readonly string[],
  { flag, fallback, min, max }: NumberFlag,
  fail: (message: string) => Error,
): ModelNumbers {
  let all: number | undefined;
  const byModel = new Map<string, number>();
  for (const text of texts) {
    const at = text.lastIndexOf("=");
    const name = at < 0 ? undefined : text.slice(0, at);
    const digits = text.slice(at + 1);
    if (name === "" || !/^\d+$/.test(digits) || Number(digits) < min || Number(digits) > max) {
      throw fail(`${flag} must be a whole number from ${min} to ${max}, perhaps as in NAME=NUMBER, but is "${text}"`);
    }
    if (name === undefined ? all !== undefined : byModel.has(name)) {
      throw fail(`${flag} is given twice${name === undefined ? "" : ` for model "${name}"`}`);
    }
    if (name === undefined) all = Number(digits);
    else byModel.set(name, Number(digits));
  }
  return { all: all ?? fallback, byModel };
}

/**
 * What is said for single models, model by model.
 *
 * @param numbers The numbers of several flags, by what they are called.
 * @returns For each model that is named those that are given for it.
 */
export function byModel<K extends string>(
  numbers: { readonly [key in K]: ModelNumbers },
): ReadonlyMap<string, { readonly [key in K]?: number }> {
  const found = new Map<string, { [key in K]?: number }>();
  for (const key in numbers) {
    for (const [name, value] of numbers[key].byModel) {
      const entry: { [key in K]?: number } = found.get(name) ?? {};
      entry[key] = value;
      found.set(name, entry);
    }
  }
  return found;
}
