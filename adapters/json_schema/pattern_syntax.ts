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

const MOST_NESTING = 50;

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
 * @returns Its parts; `undefined` if it is wrong or uses what cannot be matched in linear time: back references. So it
 * is for inline flags such as `(?i:…)`.
 */
export function parsePattern(source: string): PatternNode | undefined {
  const reader = new PatternReader(source);
  const node = reader.choice(0);
  return reader.atEnd ? node : undefined;
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
    return single === undefined ? undefined : character(single[0]);
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
  const code = /^\\[ux]\{?([0-9a-fA-F]+)\}?$/.exec(source)?.[1];
  const sample = code === undefined ? CANDIDATES.find(test) : String.fromCodePoint(parseInt(code, 16));
  return { kind: "character", sample, test };
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
