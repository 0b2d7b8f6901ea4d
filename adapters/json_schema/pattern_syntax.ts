/** A part of a regular expression. */
export type PatternNode =
  | CharacterNode
  | { readonly kind: "start" | "end" }
  | { readonly kind: "boundary"; readonly negated: boolean }
  | { readonly kind: "look"; readonly node: PatternNode; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: "sequence" | "choice"; readonly nodes: readonly PatternNode[] }
  | RepeatNode;

/** A part that takes one character. */
export interface CharacterNode {
  readonly kind: "character";
  /** A character that it takes; `undefined` if none of the common ones. */
  readonly sample: string | undefined;
  /** Whether it takes a character. */
  readonly test: (character: string) => boolean;
}

/** A part that is taken several times. */
export interface RepeatNode {
  readonly kind: "repeat";
  readonly node: PatternNode;
  readonly least: number;
  readonly most: number;
}

/** Parts that a pattern may have. */
export interface PartBudget {
  /** Parts that are left. */
  left: number;
}

const MOST_NESTING = 50;
/** Parts that a class counts for where it comes first. */
const CLASS_PARTS = 10;

/** Characters tried in this order to find one that a class allows. */
const CANDIDATES = [
  ..."aA0dD1-_. @/:+#",
  ...Array.from({ length: 95 }, (_, offset) => String.fromCharCode(32 + offset)),
  ..."\t\n\réßжα北あ한م😀",
];

/**
 * Takes a regular expression of ECMA-262 (with flag `u`) apart.
 *
 * @param source The pattern.
 * @param budget Parts that it may have; those that it has are taken off. Characters, assertions, groups and branches
 * are parts; a class counts as ten where it comes first, as it must be compiled. @default {{ left: 10_000 }}
 * @returns Its parts; `undefined` if it has more, is wrong or uses what cannot be matched in linear time: back
 * references. So it is for inline flags such as `(?i:…)`.
 */
export function parsePattern(source: string, budget: PartBudget = { left: 10_000 }): PatternNode | undefined {
  const reader = new PatternReader(source, budget);
  const node = reader.choice(0);
  return reader.atEnd ? node : undefined;
}

class PatternReader {
  readonly #source: string;
  readonly #characters = new Map<string, CharacterNode | undefined>();
  readonly #budget: PartBudget;
  #position = 0;

  constructor(source: string, budget: PartBudget) {
    this.#source = source;
    this.#budget = budget;
  }

  get atEnd(): boolean {
    return this.#position >= this.#source.length;
  }

  #take(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#position;
    const match = sticky.exec(this.#source);
    if (match === null) return undefined;
    this.#position = sticky.lastIndex;
    return match;
  }

  choice(nesting: number): PatternNode | undefined {
    if (nesting > MOST_NESTING) return undefined;
    const nodes: PatternNode[] = [];
    do {
      // The first branch is the pattern or the group itself.
      if (nodes.length > 0 && --this.#budget.left < 0) return undefined;
      const node = this.#sequence(nesting);
      if (node === undefined) return undefined;
      nodes.push(node);
    } while (this.#take(/\|/y) !== undefined);
    const [only] = nodes;
    return nodes.length === 1 ? only : { kind: "choice", nodes };
  }

  #sequence(nesting: number): PatternNode | undefined {
    const nodes: PatternNode[] = [];
    while (!this.atEnd && !/[|)]/.test(this.#source.charAt(this.#position))) {
      const node = this.#atom(nesting);
      if (node === undefined) return undefined;
      nodes.push(this.#quantified(node));
    }
    return { kind: "sequence", nodes };
  }

  #atom(nesting: number): PatternNode | undefined {
    if (--this.#budget.left < 0) return undefined;
    if (this.#take(/\^/y)) return { kind: "start" };
    if (this.#take(/\$/y)) return { kind: "end" };
    const boundary = this.#take(/\\[bB]/y);
    if (boundary !== undefined) return { kind: "boundary", negated: boundary[0] === "\\B" };
    const look = this.#take(/\(\?(<?)([=!])/y);
    if (look !== undefined) {
      const node = this.#group(nesting);
      return node && { kind: "look", node, behind: look[1] === "<", negated: look[2] === "!" };
    }
    if (this.#take(/\((?:\?:|\?<[\p{L}_$][\p{L}\p{N}_$]*>)?(?!\?)/uy)) return this.#group(nesting);
    const single = this.#take(/\[(?:[^\]\\]|\\.)*\]|\\[pP]\{[^}]*\}|\\u[dD][89abAB]..\\u[dD][c-fC-F]../suy) ??
      this.#take(/\\u\{[0-9a-fA-F]+\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\c[A-Za-z]|\\0(?!\d)/uy) ??
      this.#take(/\.|\\[dDwWsStnrfv]|\\[^\p{L}\p{N}]|[^\\()[\]{}*+?|^$]/uy);
    return single === undefined ? undefined : this.#character(single[0]);
  }

  /** The same class often comes again, and takes a while to compile. */
  #character(source: string): CharacterNode | undefined {
    if (!this.#characters.has(source)) {
      if (source.length > 2) this.#budget.left -= CLASS_PARTS - 1;
      if (this.#budget.left < 0) return undefined;
      this.#characters.set(source, character(source));
    }
    return this.#characters.get(source);
  }

  #group(nesting: number): PatternNode | undefined {
    const node = this.choice(nesting + 1);
    return this.#take(/\)/y) === undefined ? undefined : node;
  }

  #quantified(node: PatternNode): PatternNode {
    const match = this.#take(/(?:([*+?])|\{(\d{1,6})(?:(,)(\d{1,6})?)?\})\??/y);
    if (match === undefined) return node;
    const [, sign, from, comma, to] = match;
    if (sign !== undefined) {
      return { kind: "repeat", node, least: sign === "+" ? 1 : 0, most: sign === "?" ? 1 : Infinity };
    }
    const least = Number(from);
    return {
      kind: "repeat",
      node,
      least,
      most: comma === undefined ? least : to === undefined ? Infinity : Number(to),
    };
  }
}

/** A part that stands for one character: tested by `RegExp`, which is harmless on one character. */
function character(source: string): CharacterNode | undefined {
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${source})$`, "u");
  } catch {
    // A needless escape, such as "\\-" outside a class, means the character itself; all else is beyond us.
    if (!/^\\.$/u.test(source)) return undefined;
    const literal = source.slice(1);
    return { kind: "character", sample: literal, test: (one) => one === literal };
  }
  const literal = source.startsWith("\\") ? source.slice(1) : source;
  if ([...literal].length === 1 && source !== "." && expression.test(literal)) {
    const isLiteral = !/^\\[\p{L}\p{N}]/u.test(source);
    return { kind: "character", sample: literal, test: isLiteral ? (one) => one === literal : remember(expression) };
  }
  const test = remember(expression);
  return {
    kind: "character",
    test,
    // Found when it is asked for: most are not, and it takes a while.
    get sample() {
      const code = /^\\[ux]\{?([0-9a-fA-F]+)\}?$/.exec(source)?.[1];
      return code === undefined ? CANDIDATES.find(test) : String.fromCodePoint(parseInt(code, 16));
    },
  };
}

/** Tests of a class, of which those of ASCII's characters are done once. */
function remember(expression: RegExp): (character: string) => boolean {
  const known: (boolean | undefined)[] = [];
  return (one) => {
    const code = one.charCodeAt(0);
    if (one.length > 1 || code > 127) return expression.test(one);
    return known[code] ??= expression.test(one);
  };
}
