import { type LinearPattern, type StepBudget, StepsExceededError } from "./pattern_matcher.ts";
import type { Place } from "./place.ts";

/** Something that is wrong with a value. */
export interface Fault {
  /** Where. */
  readonly place: Place;
  /** The keyword that is broken. */
  readonly keyword: string;
}

/** What came of checking a value against a schema. */
export interface Verdict {
  /** What is wrong; absent if nothing is. */
  readonly faults?: readonly Fault[];
  /** Names or indexes that the schema has something to say about; absent if no one asks. */
  readonly evaluated?: ReadonlySet<string | number>;
}

/** What a rule has at hand beside the value. */
export interface RuleScope {
  /** The check that is under way. */
  readonly run: SchemaRun;
  /** Where to note names or indexes that are spoken of; absent if no one asks. */
  readonly evaluated: Set<string | number> | undefined;
}

/** Checks a value by one keyword or a few that belong together; gives what is wrong, if anything is. */
export type SchemaRule = (place: Place, scope: RuleScope) => readonly Fault[] | undefined;

/** A schema that is ready to be worked with. */
export interface CompiledSchema {
  /** What must hold, in this order. */
  readonly rules: readonly SchemaRule[];
  /** Whether a value may come to it in several ways even if nothing is inside the value. */
  readonly isComposed: boolean;
  /** Whether names and indexes are to be noted. */
  readonly tracks: boolean;
}

/** Most faults that are told of. */
const MOST_FAULTS = 5;
const HOLDS: Verdict = {};

/**
 * The check of one value.
 *
 * Each part of the value is checked against each schema at most once, and what came of it is kept: else a schema that
 * leads back to itself in two branches takes twice as long for each level of the value.
 */
export class SchemaRun {
  /** Steps that patterns may take. */
  readonly patternBudget: StepBudget;
  readonly #budget: StepBudget;
  readonly #verdicts = new Map<Place, Map<CompiledSchema, Verdict>>();
  readonly #nameMatches = new Map<LinearPattern, Map<string, boolean>>();

  /**
   * Begins a check.
   *
   * @param budget Steps that it may take: a step is a schema met by a value, or a property or item looked at.
   * @param patternBudget Steps that patterns may take.
   */
  constructor(budget: StepBudget, patternBudget: StepBudget) {
    this.#budget = budget;
    this.patternBudget = patternBudget;
  }

  /**
   * Takes steps off.
   *
   * @param steps How many.
   * @throws {StepsExceededError} If there are not as many left.
   */
  spend(steps: number): void {
    this.#budget.left -= steps;
    if (this.#budget.left < 0) throw new StepsExceededError("Cannot check: too many steps");
  }

  /**
   * Checks a part of the value.
   *
   * @param schema What it must follow.
   * @param place The part.
   * @returns What came of it.
   * @throws {StepsExceededError} If it takes too many steps.
   */
  check(schema: CompiledSchema, place: Place): Verdict {
    this.spend(1);
    // What has nothing inside and comes here in one way only is not worth keeping.
    if (!place.isContainer && !schema.isComposed) return this.#apply(schema, place);
    let verdicts = this.#verdicts.get(place);
    if (verdicts === undefined) this.#verdicts.set(place, verdicts = new Map());
    let verdict = verdicts.get(schema);
    if (verdict === undefined) verdicts.set(schema, verdict = this.#apply(schema, place));
    return verdict;
  }

  #apply({ rules, tracks }: CompiledSchema, place: Place): Verdict {
    const evaluated = tracks && place.isContainer ? new Set<string | number>() : undefined;
    const scope: RuleScope = { run: this, evaluated };
    for (const rule of rules) {
      const faults = rule(place, scope);
      if (faults !== undefined) return { faults: faults.slice(0, MOST_FAULTS) };
    }
    return evaluated === undefined ? HOLDS : { evaluated };
  }

  /**
   * Tells whether a pattern occurs in the name of a property. The same names come again in each item of a list, and
   * are matched once.
   *
   * @param pattern The pattern.
   * @param name The name.
   * @returns Whether it does.
   * @throws {StepsExceededError} If that is not found out within the budget.
   */
  matchesName(pattern: LinearPattern, name: string): boolean {
    let matches = this.#nameMatches.get(pattern);
    if (matches === undefined) this.#nameMatches.set(pattern, matches = new Map());
    let known = matches.get(name);
    if (known === undefined) matches.set(name, known = pattern.matches(name, this.patternBudget));
    return known;
  }
}
