import { LinearPattern, parsePattern, type PatternNode, StepsExceededError } from "../json_schema/mod.ts";

/**
 * A `pattern` of a JSON Schema, read by our own hand: so that texts can be made that match, and so that a hostile
 * pattern cannot take exponential time, as it could in `RegExp`.
 */
export interface Pattern {
  /**
   * Tells whether the pattern occurs in a text.
   *
   * @param text The text.
   * @returns Whether it does; also `false` if that is not found out in 50,000 steps.
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
const MOST_STEPS = 50_000;
const MOST_STATES = 2_000;

/** Patterns that were read last: a schema's are needed for each of its values. */
const known = new Map<string, Pattern | undefined>();
const MOST_KNOWN = 32;

/**
 * Reads a pattern.
 *
 * @param source The pattern.
 * @returns The pattern, or `undefined` if it is wrong, has back references or is too large.
 */
export function readPattern(source: string): Pattern | undefined {
  if (known.has(source)) return known.get(source);
  if (known.size >= MOST_KNOWN) known.clear();
  const pattern = parse(source);
  known.set(source, pattern);
  return pattern;
}

function parse(source: string): Pattern | undefined {
  const node = parsePattern(source);
  const pattern = node && LinearPattern.fromNode(node, { left: MOST_STATES });
  if (node === undefined || pattern === undefined) return undefined;
  return {
    matches: (text) => {
      try {
        return pattern.matches(text, { left: MOST_STEPS });
      } catch (error) {
        if (error instanceof StepsExceededError) return false;
        throw error;
      }
    },
    sample: (extra) => sample(node, extra),
  };
}

function sample(node: PatternNode, extra: number): string | undefined {
  switch (node.kind) {
    case "start":
    case "end":
    case "boundary":
    case "look":
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
