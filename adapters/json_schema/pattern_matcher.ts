import { parsePattern, type PatternNode } from "./pattern_syntax.ts";

/**
 * Most states that a pattern may have. Counted repetitions are written out: `a{100}` has 100. A branch counts as a
 * state, as does a repetition that may be left out: `a{0,100}` has 200. A class that must be compiled counts as ten where
 * it comes first.
 */
export const MOST_PATTERN_STATES = 10_000;

/** Steps that matching may take: shared by all that is matched in one check. */
export interface StepBudget {
  /** Steps that are left. A step is one way to one state at one position, some 50 ns. */
  left: number;
}

/** States that patterns may have: shared by all patterns of one schema. */
export interface StateBudget {
  /** States that are left. */
  left: number;
}

/** Matching would take more steps than the budget has. */
export class StepsExceededError extends Error {
  override name = "StepsExceededError";
}

type Direction = "forward" | "backward";

/** What a state does, and which state is next. */
type State =
  | { readonly kind: "character"; readonly test: (character: string) => boolean; readonly next: number }
  | { readonly kind: "assert"; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: "split"; readonly next: readonly number[] }
  | { readonly kind: "accept" };

/** What must hold at a position. */
type Assertion =
  | { readonly kind: "start" | "end" }
  | { readonly kind: "boundary"; readonly negated: boolean }
  | { readonly kind: "look"; readonly program: Program; readonly negated: boolean };

interface Program {
  readonly states: readonly State[];
  readonly first: number;
  readonly direction: Direction;
}

/**
 * A regular expression that is matched in time linear in the text, whatever the two are: by the set of all states that
 * can be reached at each position, not by trying one way after the other as `RegExp` does. It tells only whether there
 * is a match, which is all that JSON Schema asks.
 */
export class LinearPattern {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  /**
   * Reads a pattern.
   *
   * @param node The pattern's parts.
   * @param budget States that it may have; those that it has are taken off. @default {{ left: 10_000 }}
   * @returns The pattern; `undefined` if it has more.
   */
  static fromNode(node: PatternNode, budget: StateBudget = { left: MOST_PATTERN_STATES }): LinearPattern | undefined {
    const program = new Compiler("forward", budget).compile(node);
    return program && new LinearPattern(program);
  }

  /**
   * Reads a pattern.
   *
   * @param source Its source.
   * @param budget States that it may have; those that it has are taken off. @default {{ left: 10_000 }}
   * @returns The pattern; `undefined` if it is wrong, cannot be matched in linear time or is too large.
   */
  static fromSource(source: string, budget: StateBudget = { left: MOST_PATTERN_STATES }): LinearPattern | undefined {
    const parts = { left: budget.left };
    const node = parsePattern(source, parts);
    const pattern = node && LinearPattern.fromNode(node, budget);
    // What takes its time to read may have few states.
    budget.left = Math.min(budget.left, parts.left);
    return pattern;
  }

  /**
   * Tells whether the pattern occurs in a text.
   *
   * @param text The text.
   * @param budget The steps that it may take; those taken are taken off.
   * @returns Whether it does.
   * @throws {StepsExceededError} If that is not found out within the budget.
   */
  matches(text: string, budget: StepBudget): boolean {
    return new Run([...text], budget).occurs(this.#program);
  }
}

class Compiler {
  readonly #direction: Direction;
  readonly #budget: StateBudget;
  readonly #states: State[] = [{ kind: "accept" }];

  constructor(direction: Direction, budget: StateBudget) {
    this.#direction = direction;
    this.#budget = budget;
  }

  compile(node: PatternNode): Program | undefined {
    const first = this.#build(node, 0);
    return first === undefined ? undefined : { states: this.#states, first, direction: this.#direction };
  }

  #add(state: State): number | undefined {
    if (--this.#budget.left < 0) return undefined;
    return this.#states.push(state) - 1;
  }

  #build(node: PatternNode, next: number): number | undefined {
    switch (node.kind) {
      case "character":
        return this.#add({ kind: "character", test: node.test, next });
      case "start":
      case "end":
      case "boundary":
        return this.#add({ kind: "assert", assertion: node, next });
      case "look": {
        // What is looked at is matched towards where it is looked from: so one pass finds all positions.
        const compiler = new Compiler(node.behind ? "forward" : "backward", this.#budget);
        const program = compiler.compile(node.node);
        return program &&
          this.#add({ kind: "assert", assertion: { kind: "look", program, negated: node.negated }, next });
      }
      case "sequence": {
        const nodes = this.#direction === "forward" ? node.nodes.toReversed() : node.nodes;
        let first: number | undefined = next;
        for (const part of nodes) if (first !== undefined) first = this.#build(part, first);
        return first;
      }
      case "choice": {
        const branches: number[] = [];
        // Branches take memory, and time to go through, even where they are empty.
        this.#budget.left -= node.nodes.length - 1;
        for (const part of node.nodes) {
          const branch = this.#build(part, next);
          if (branch === undefined) return undefined;
          branches.push(branch);
        }
        return this.#add({ kind: "split", next: branches });
      }
      case "repeat":
        return this.#repeat(node, next);
    }
  }

  #repeat({ node, least, most }: PatternNode & { readonly kind: "repeat" }, next: number): number | undefined {
    let first: number | undefined = next;
    if (most === Infinity) {
      const branches: number[] = [next];
      first = this.#add({ kind: "split", next: branches });
      const body = first === undefined ? undefined : this.#build(node, first);
      if (body === undefined) return undefined;
      branches.push(body);
    }
    for (let count = least; most !== Infinity && count < most && first !== undefined; count++) {
      const body = this.#build(node, first);
      first = body === undefined ? undefined : this.#add({ kind: "split", next: [body, next] });
    }
    for (let count = 0; count < least && first !== undefined; count++) {
      const before = this.#budget.left;
      first = this.#build(node, first);
      // A part without states costs nothing however often it is repeated, but takes time to write out.
      if (this.#budget.left === before && --this.#budget.left < 0) return undefined;
    }
    return first;
  }
}

/** The matching of one text. */
class Run {
  readonly #characters: readonly string[];
  readonly #budget: StepBudget;
  /** For each program that is looked at, the positions at which it holds. */
  readonly #looks = new Map<Program, Uint8Array>();

  constructor(characters: readonly string[], budget: StepBudget) {
    this.#characters = characters;
    this.#budget = budget;
  }

  occurs(program: Program): boolean {
    return this.#sweep(program, () => true);
  }

  /**
   * Goes through the text once, beginning a match at every position.
   *
   * @param program What to match.
   * @param onAccept Told of each position where a match ends; ends the sweep by `true`.
   * @returns Whether it was ended.
   */
  #sweep(program: Program, onAccept: (position: number) => boolean): boolean {
    const { states, first, direction } = program;
    const { length } = this.#characters;
    const step = direction === "forward" ? 1 : -1;
    const seen = new Int32Array(states.length).fill(-1);
    const pending: number[] = [];
    let current: number[] = [];
    let position = direction === "forward" ? 0 : length;
    for (let count = 0; count <= length; count++, position += step) {
      let accepted = false;
      const reached: number[] = [];
      this.#spend(current.length + 1);
      pending.push(first, ...current);
      for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
        if (seen[index] === count) continue;
        seen[index] = count;
        const state = states[index];
        if (state === undefined) continue;
        if (state.kind === "accept") accepted = true;
        else if (state.kind === "character") reached.push(index);
        else if (state.kind === "split") {
          // Ways are counted, not states: many may lead to a state that was seen already.
          this.#spend(state.next.length);
          for (const next of state.next) pending.push(next);
        } else {
          this.#spend(1);
          if (this.#holds(state.assertion, position)) pending.push(state.next);
        }
      }
      if (accepted && onAccept(position)) return true;
      const character = this.#characters[direction === "forward" ? position : position - 1];
      current = [];
      if (character === undefined) continue;
      for (const index of reached) {
        const state = states[index];
        if (state?.kind === "character" && state.test(character)) current.push(state.next);
      }
    }
    return false;
  }

  #spend(steps: number): void {
    this.#budget.left -= steps;
    if (this.#budget.left < 0) throw new StepsExceededError("Cannot match: too many steps");
  }

  #holds(assertion: Assertion, position: number): boolean {
    switch (assertion.kind) {
      case "start":
        return position === 0;
      case "end":
        return position === this.#characters.length;
      case "boundary":
        return (this.#isWord(position - 1) !== this.#isWord(position)) !== assertion.negated;
      case "look":
        return (this.#look(assertion.program)[position] === 1) !== assertion.negated;
    }
  }

  #isWord(position: number): boolean {
    return /^\w$/.test(this.#characters[position] ?? "");
  }

  #look(program: Program): Uint8Array {
    let places = this.#looks.get(program);
    if (places === undefined) {
      const found = new Uint8Array(this.#characters.length + 1);
      this.#sweep(program, (position) => {
        found[position] = 1;
        return false;
      });
      places = found;
      this.#looks.set(program, places);
    }
    return places;
  }
}
