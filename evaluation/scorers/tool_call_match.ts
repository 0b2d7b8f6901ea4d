import type { ToolCall } from "../../types/mod.ts";
import type { ExpectedToolCall } from "../data/mod.ts";
import { isRecord } from "../_canonical_json.ts";
import { missing } from "./_texts.ts";
import { firstDifference } from "./json_matches.ts";
import type { Scorer } from "./scorer.ts";

/** Options for {@linkcode toolCallMatch}. */
export interface ToolCallMatchOptions {
  /** Name of the scores. @default {"tool_call_match"} */
  readonly name?: string;
  /**
   * How arguments are compared: all must be equal, those that are expected must be there, or they are of no matter.
   *
   * @default {"equal"}
   */
  readonly arguments?: "equal" | "subset" | "ignore";
  /** Whether the calls must come in the expected order. @default {true} */
  readonly order?: boolean;
  /** Whether there may be other calls beside the expected ones. @default {false} */
  readonly allowExtra?: boolean;
}

/**
 * Whether the model called the tools that it had to (`expectations.expected_tool_calls`), in all its answers together.
 * An empty list means that it must call none.
 *
 * @param options What is compared how.
 * @returns The scorer `tool_call_match`. Its values are booleans; the rationale says which call is missing or too many. A
 * row that the model fails on counts as `false`.
 */
export function toolCallMatch(options: ToolCallMatchOptions = {}): Scorer {
  const { arguments: comparison = "equal", order = true, allowExtra = false, name = "tool_call_match" } = options;
  return {
    name,
    whenFailed: false,
    config: { scorer: "tool_call_match", arguments: comparison, order, allowExtra },
    score: ({ toolCalls, expectations }) => {
      const expected: unknown = expectations.expected_tool_calls;
      if (!isExpected(expected)) {
        throw missing(name, "expected_tool_calls", 'must be a list of { "name": …, "arguments": { … } }');
      }
      const made = toolCalls.map(readCall);
      const fits = (call: MadeCall, wanted: ExpectedToolCall) => isAsExpected(call, wanted, comparison);
      const pairs = order ? pairInOrder(made, { expected, fits }) : pairFreely(made, { expected, fits });
      const lost = expected.find((_, index) => pairs[index] === undefined);
      if (lost !== undefined) return { value: false, rationale: describe(lost.name, made, order) };
      const extra = made.length - expected.length;
      if (extra > 0 && !allowExtra) {
        return { value: false, rationale: `${extra} of ${made.length} calls are not expected` };
      }
      return true;
    },
  };
}

interface MadeCall {
  readonly name: string;
  /** `undefined` if they are no JSON object. */
  readonly arguments: { readonly [name: string]: unknown } | undefined;
}

interface Pairing {
  readonly expected: readonly ExpectedToolCall[];
  readonly fits: (call: MadeCall, wanted: ExpectedToolCall) => boolean;
}

/** Takes for each expected call the first that fits behind the one before: if any choice does, this one does. */
function pairInOrder(made: readonly MadeCall[], { expected, fits }: Pairing): readonly (number | undefined)[] {
  let from = 0;
  return expected.map((wanted) => {
    const found = made.findIndex((call, index) => index >= from && fits(call, wanted));
    if (found < 0) return undefined;
    from = found + 1;
    return found;
  });
}

/** A call may fit several expected ones: takes are changed until as many as possible have one (augmenting paths). */
function pairFreely(made: readonly MadeCall[], { expected, fits }: Pairing): readonly (number | undefined)[] {
  const takers = new Map<number, number>();
  const take = (wanted: number, tried: Set<number>): boolean => {
    for (const [index, call] of made.entries()) {
      const one = expected[wanted];
      if (tried.has(index) || one === undefined || !fits(call, one)) continue;
      tried.add(index);
      const taker = takers.get(index);
      if (taker === undefined || take(taker, tried)) {
        takers.set(index, wanted);
        return true;
      }
    }
    return false;
  };
  expected.forEach((_, wanted) => take(wanted, new Set()));
  const pairs: (number | undefined)[] = expected.map(() => undefined);
  for (const [index, wanted] of takers) pairs[wanted] = index;
  return pairs;
}

function isAsExpected(
  call: MadeCall,
  wanted: ExpectedToolCall,
  comparison: "equal" | "subset" | "ignore",
): boolean {
  if (call.name !== wanted.name) return false;
  if (comparison === "ignore" || wanted.arguments === undefined) return true;
  const { arguments: given } = call;
  if (given === undefined) return false;
  if (comparison === "equal") return firstDifference(given, wanted.arguments, []) === undefined;
  return Object.entries(wanted.arguments).every(([key, value]) =>
    Object.hasOwn(given, key) && firstDifference(given[key], value, []) === undefined
  );
}

function readCall(call: ToolCall): MadeCall {
  if (call.type === "custom") return { name: call.custom.name, arguments: { input: call.custom.input } };
  const { name, arguments: text } = call.function;
  try {
    const values: unknown = text.trim() === "" ? {} : JSON.parse(text);
    return { name, arguments: isRecord(values) ? values : undefined };
  } catch {
    return { name, arguments: undefined };
  }
}

function describe(name: string, made: readonly MadeCall[], order: boolean): string {
  if (made.length === 0) return `The model called no tool, but should have called "${name}"`;
  if (!made.some((call) => call.name === name)) return `The model did not call "${name}"`;
  return `The model did not call "${name}" ${order ? "in its place, or not " : ""}with the expected arguments`;
}

function isExpected(value: unknown): value is readonly ExpectedToolCall[] {
  return Array.isArray(value) &&
    value.every((item) =>
      isRecord(item) && typeof item.name === "string" && (item.arguments === undefined || isRecord(item.arguments))
    );
}
