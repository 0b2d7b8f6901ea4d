/** A part of a regular expression. */
type PatternNode =
  | { readonly kind: "character"; readonly sample: string; readonly test: (character: string) => boolean }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "sequence"; readonly nodes: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly nodes: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly node: PatternNode; readonly least: number; readonly most: number };

/**
 * A `pattern` of a JSON Schema, read by our own hand: so that texts can be made that match, and so that a hostile
 * pattern cannot take exponential time, as it could in `RegExp`.
 */
export interface Pattern {
  /**
   * Tells whether the pattern occurs in a text.
   *
   * @param text The text.
   * @returns Whether it does; also `false` if that is not found out in 20,000 steps.
   */
  matches(text: string): boolean;
  /**
   * Makes a text of the pattern's parts.
   *
   * @param extra How many times more than necessary to repeat what may be repeated.
   * @returns The text, or `undefined` if it would be longer than 10,000 characters.
   */
  sample(extra: number): string | undefined;
}

const MOST_CHARACTERS = 10_000;
const MOST_NESTING = 20;
const MOST_STEPS = 20_000;

/** Characters tried in this order to find one that a class allows. */
const CANDIDATES = [
  ..."aA0dD1-_. @/:+#",
  ...Array.from({ length: 95 }, (_, offset) => String.fromCharCode(32 + offset)),
  ..."\t\n\réßжα北あ한م",
];

/**
 * Reads a pattern: characters, escapes, classes, groups, alternatives, quantifiers, `^` and `$`.
 *
 * @param source The pattern.
 * @returns The pattern, or `undefined` if it is wrong or uses more (lookaround, back references, `\b`).
 */
export function readPattern(source: string): Pattern | undefined {
  const reader = new PatternReader(source);
  const node = reader.choice(0);
  if (node === undefined || !reader.atEnd) return undefined;
  return {
    matches: (text) => {
      const run: Run = { characters: [...text], stepsLeft: MOST_STEPS };
      const anywhere = new Set(run.characters.keys()).add(run.characters.length);
      return advance(node, run, anywhere).size > 0 && run.stepsLeft > 0;
    },
    sample: (extra) => sample(node, extra),
  };
}

class PatternReader {
  readonly #source: string;
  #position = 0;

  constructor(source: string) {
    this.#source = source;
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
      const node = this.#sequence(nesting);
      if (node === undefined) return undefined;
      nodes.push(node);
    } while (this.#take(/\|/y) !== undefined);
    return { kind: "choice", nodes };
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
    if (this.#take(/\^/y)) return { kind: "start" };
    if (this.#take(/\$/y)) return { kind: "end" };
    if (this.#take(/\((?:\?:|\?<[\p{L}_$][\p{L}\p{N}_$]*>)?(?!\?)/uy)) {
      const node = this.choice(nesting + 1);
      return this.#take(/\)/y) === undefined ? undefined : node;
    }
    const single =
      this.#take(/\[(?:[^\]\\]|\\.)*\]|\\[pP]\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\.|\\[dDwWsStnrfv]/uy) ??
        this.#take(/\\[^\p{L}\p{N}]|[^\\()[\]{}*+?|^$]/uy);
    return single === undefined ? undefined : character(single[0]);
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

/** A part that stands for one character; a lone one is tested by `RegExp`, which is harmless on one character. */
function character(source: string): PatternNode | undefined {
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${source})$`, "u");
  } catch {
    // A needless escape, such as "\\-" outside a class, means the character itself; all else is beyond us.
    if (!/^\\.$/u.test(source)) return undefined;
    const literal = source.slice(1);
    return { kind: "character", sample: literal, test: (one) => one === literal };
  }
  const test = (one: string): boolean => expression.test(one);
  const literal = source.startsWith("\\") ? source.slice(1) : source;
  const sample = [...literal].length === 1 && source !== "." && test(literal) ? literal : CANDIDATES.find(test);
  return sample === undefined ? undefined : { kind: "character", sample, test };
}

interface Run {
  readonly characters: readonly string[];
  stepsLeft: number;
}

/** The positions at which a part may end if it begins at one of the given ones. */
function advance(node: PatternNode, run: Run, from: Set<number>): Set<number> {
  run.stepsLeft -= from.size;
  if (run.stepsLeft <= 0) return new Set();
  switch (node.kind) {
    case "start":
      return new Set(from.has(0) ? [0] : []);
    case "end":
      return new Set(from.has(run.characters.length) ? [run.characters.length] : []);
    case "character": {
      const reached = new Set<number>();
      for (const position of from) {
        const one = run.characters[position];
        if (one !== undefined && node.test(one)) reached.add(position + 1);
      }
      return reached;
    }
    case "sequence":
      return node.nodes.reduce((reached, part) => reached.size === 0 ? reached : advance(part, run, reached), from);
    case "choice": {
      const reached = new Set<number>();
      for (const part of node.nodes) for (const position of advance(part, run, from)) reached.add(position);
      return reached;
    }
    case "repeat":
      return repeat(node, run, from);
  }
}

function repeat(node: PatternNode & { kind: "repeat" }, run: Run, from: Set<number>): Set<number> {
  let current = from;
  for (let count = 0; count < node.least && current.size > 0; count++) {
    const next = advance(node.node, run, current);
    if (isSame(next, current)) break;
    current = next;
  }
  const reached = new Set(current);
  for (let count = node.least; count < node.most && current.size > 0; count++) {
    const next = advance(node.node, run, current);
    current = new Set([...next].filter((position) => !reached.has(position)));
    for (const position of current) reached.add(position);
  }
  return reached;
}

function isSame(one: Set<number>, other: Set<number>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}

function sample(node: PatternNode, extra: number): string | undefined {
  switch (node.kind) {
    case "start":
    case "end":
      return "";
    case "character":
      return node.sample;
    case "choice":
      // The first alternative, or a later one where it cannot be made.
      return node.nodes.values().map((part) => sample(part, extra)).find((text) => text !== undefined);
    case "sequence": {
      let text = "";
      for (const part of node.nodes) {
        const next = sample(part, extra);
        if (next === undefined || text.length + next.length > MOST_CHARACTERS) return undefined;
        text += next;
      }
      return text;
    }
    case "repeat": {
      const count = Math.min(node.most, node.least + extra);
      if (count === 0) return "";
      const text = sample(node.node, extra);
      return text === undefined || text.length * count > MOST_CHARACTERS ? undefined : text.repeat(count);
    }
  }
}
