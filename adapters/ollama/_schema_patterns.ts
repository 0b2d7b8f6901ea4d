import { LinearPattern, MOST_PATTERN_STATES, parsePattern, type StateBudget } from "../json_schema/mod.ts";
import { SchemaError } from "./_json_schema.ts";

/** Most states that all patterns of one schema may have together. */
const MOST_STATES = 50_000;

/** The patterns of one schema; those that are written alike are one. */
export class SchemaPatterns {
  readonly #known = new Map<string, LinearPattern>();
  readonly #budget: StateBudget = { left: MOST_STATES };

  /**
   * Reads a pattern.
   *
   * @param source Its source.
   * @param path Where it stands.
   * @returns The pattern.
   * @throws {SchemaError} If it is none that can be matched in bounded time, or one too many.
   */
  read(source: string, path: readonly string[] = []): LinearPattern {
    const known = this.#known.get(source);
    if (known !== undefined) return known;
    try {
      new RegExp(source, "u");
    } catch (cause) {
      throw new SchemaError("must be a regular expression of ECMA-262", { path, cause });
    }
    const most = Math.min(MOST_PATTERN_STATES, this.#budget.left);
    const budget: StateBudget = { left: most };
    const pattern = LinearPattern.fromSource(source, budget);
    if (pattern === undefined) throw tooLarge(source, path);
    this.#budget.left -= most - budget.left;
    this.#known.set(source, pattern);
    return pattern;
  }
}

function tooLarge(source: string, path: readonly string[]): SchemaError {
  const node = parsePattern(source);
  if (node !== undefined && LinearPattern.fromNode(node) !== undefined) {
    return new SchemaError(
      `must not be as large: all patterns of the schema together may have ${MOST_STATES.toLocaleString("en")} states ` +
        "once their counted repetitions are written out",
      { path },
    );
  }
  return new SchemaError(
    "must be a regular expression that can be matched in bounded time: without back references and inline flags, " +
      `and with at most ${MOST_PATTERN_STATES.toLocaleString("en")} states once its counted repetitions are written ` +
      "out, a class counting as ten where it comes first",
    { path },
  );
}
