import { ValidationError, type ValidationIssue } from "../../types/mod.ts";

/** How a condition compares. */
export type GateOperator = ">=" | "<=" | ">" | "<" | "==";

/** What a condition compares with. */
export type GateLimit =
  | { readonly kind: "number"; readonly value: number }
  /** The baseline's value of the same metric, times a factor, plus an offset. */
  | { readonly kind: "baseline"; readonly factor: number; readonly offset: number };

/** One condition of a gate. */
export interface GateCondition {
  /** As it was written, without what surrounds it. */
  readonly text: string;
  /** The metric, as it was written. */
  readonly metric: string;
  /** How it compares. */
  readonly operator: GateOperator;
  /** What it compares with. */
  readonly limit: GateLimit;
}

const CONDITION = /^([^<>=!]*)(>=|<=|==|>|<)(.*)$/s;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const BASELINE = /^(?:([^*]+)\*)?\s*baseline\s*(?:([+-])(.+))?$/;
const HOW = 'write it as in "exact_match>=0.8" or "latency_p95<=1.1*baseline"';

/**
 * Reads the conditions of a gate: `METRIC OPERATOR LIMIT`, with commas between them. Operators are `>=`, `<=`, `>`, `<`
 * and `==`. A limit is a number, or `baseline` with a factor before or an offset behind it: `1.1*baseline`,
 * `baseline-0.02`.
 *
 * @example Usage
 * ```ts
 * import { parseGate } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * const [quality, speed] = parseGate("exact_match >= 0.8, latency_p95 <= 1.1*baseline");
 * assertEquals(quality?.limit, { kind: "number", value: 0.8 });
 * assertEquals(speed?.limit, { kind: "baseline", factor: 1.1, offset: 0 });
 * ```
 *
 * @param text The conditions.
 * @returns The conditions; at least one.
 * @throws {ValidationError} If one cannot be read; all faults are in it.
 */
export function parseGate(text: string): readonly GateCondition[] {
  const issues: ValidationIssue[] = [];
  const conditions: GateCondition[] = [];
  text.split(",").forEach((part, index) => {
    const condition = parseCondition(part.trim());
    if (typeof condition === "string") issues.push({ path: `gate.${index}`, message: condition });
    else conditions.push(condition);
  });
  if (issues.length > 0) throw new ValidationError("Cannot read gate", issues);
  return conditions;
}

/** The condition, or what is wrong with it. */
function parseCondition(text: string): GateCondition | string {
  if (text === "") return `is empty: ${HOW}`;
  const [, name = "", operator, right = ""] = CONDITION.exec(text) ?? [];
  if (!isOperator(operator)) return `"${text}" compares by none of ">=", "<=", ">", "<" and "==": ${HOW}`;
  const metric = name.trim();
  if (metric === "") return `"${text}" names no metric: ${HOW}`;
  const limit = parseLimit(right.trim());
  if (limit === undefined) {
    return `"${text}" has no limit: behind "${operator}" there must be a number, or "baseline", such as ` +
      '"1.1*baseline" or "baseline-0.02"';
  }
  return { text, metric, operator, limit };
}

function parseLimit(text: string): GateLimit | undefined {
  const value = toNumber(text);
  if (value !== undefined) return { kind: "number", value };
  const match = BASELINE.exec(text);
  if (match === null) return undefined;
  const [, factorText, sign, offsetText] = match;
  const factor = factorText === undefined ? 1 : toNumber(factorText.trim());
  const size = offsetText === undefined ? 0 : toNumber(offsetText.trim());
  // "baseline--1" is a slip rather than a sum.
  if (factor === undefined || size === undefined || /^\s*[+-]/.test(offsetText ?? "")) return undefined;
  return { kind: "baseline", factor, offset: sign === "-" && size !== 0 ? -size : size };
}

function toNumber(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

function isOperator(text: string | undefined): text is GateOperator {
  return text === ">=" || text === "<=" || text === ">" || text === "<" || text === "==";
}
