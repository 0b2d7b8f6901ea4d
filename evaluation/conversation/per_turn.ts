import type { JsonValue } from "../../model_config.ts";
import { type ChatMessage, parseChatMessage, ValidationError } from "../../types/mod.ts";
import { complete } from "../../streaming/_complete.ts";
import { isRecord } from "../_canonical_json.ts";
import type { Expectations } from "../data/mod.ts";
import { normaliseScorers, toRowScores } from "../scorers/normalise_scorers.ts";
import type { AnsweredTurn, Score, ScoredRow, Scorer, ScorerSource, ScoreValue } from "../scorers/scorer.ts";

/** Options for {@linkcode perTurn}. */
export interface PerTurnOptions {
  /** Name of the scores. Default: the scorer's, with `_per_turn` behind it. */
  readonly name?: string;
  /**
   * What the turns' scores come to: `all`, whether each turn passes; `mean`, the mean of numbers, or the share of turns
   * that pass; `worst`, the least good of numbers.
   *
   * Default: `mean` for numbers, `all` for anything of which it is known whether it passes.
   */
  readonly combine?: "all" | "mean" | "worst";
  /** Whether each turn has a score of its own as well, named `<name>.turn_1` and so on. @default {false} */
  readonly each?: boolean;
}

/**
 * Makes a scorer that scores each answer of a conversation by itself, out of one that scores one answer.
 *
 * The scorer sees each answer with what the model was asked. If `expectations.turns` is a list, its members are the
 * expectations of the turns; else all turns have the row's. The values are kept in `metadata.turns`.
 *
 * @param source The scorer of one answer. It must give one score.
 * @param options What the scores come to.
 * @returns The scorer of whole conversations.
 * @throws {ValidationError} If it is no scorer, or an option is not valid.
 */
export function perTurn(source: ScorerSource, options: PerTurnOptions = {}): Scorer {
  const [scorer] = normaliseScorers([source]);
  if (scorer === undefined) throw fault("scorer", "must be a scorer");
  const { name = `${scorer.name}_per_turn`, combine, each = false } = options;
  if (combine !== undefined && !["all", "mean", "worst"].includes(combine)) {
    throw fault("combine", 'must be "all", "mean" or "worst"');
  }
  return {
    name,
    ...(scorer.streams !== undefined && { streams: scorer.streams }),
    ...(scorer.whenFailed !== undefined && { whenFailed: scorer.whenFailed }),
    ...(scorer.better !== undefined && { better: scorer.better }),
    config: { scorer: "per_turn", of: scorer.config ?? scorer.name, combine: combine ?? null, each },
    async score(row) {
      const scores: Turned[] = [];
      for (const [index, turn] of turnsOf(row).entries()) {
        const results = toRowScores(await scorer.score(rowOfTurn(row, { turn, index })), scorer);
        const [only, ...others] = results;
        if (only === undefined || others.length > 0) throw fault("scorer", "must give one score for each turn");
        scores.push({ ...only[1], turn: index + 1 });
      }
      const whole: Score = combined(scores, { combine, better: scorer.better ?? "higher" });
      if (!each) return whole;
      return [
        { name, ...whole },
        ...scores.map(({ turn, value, passed, rationale, metadata }) => ({
          name: `${name}.turn_${turn}`,
          value,
          ...(passed !== undefined && { passed }),
          ...(rationale !== undefined && { rationale }),
          ...(metadata !== undefined && { metadata }),
        })),
      ];
    },
  };
}

interface Turned {
  readonly turn: number;
  readonly value: ScoreValue | null;
  readonly passed?: boolean;
  readonly rationale?: string;
  readonly metadata?: { readonly [name: string]: JsonValue };
}

function combined(
  scores: readonly Turned[],
  { combine, better }: { readonly combine: PerTurnOptions["combine"]; readonly better: "higher" | "lower" },
): Score {
  const turns = scores.map(({ value }) => value);
  const rationale = scores.flatMap(({ turn, rationale }) =>
    rationale === undefined ? [] : [`Turn ${turn}: ${rationale}`]
  );
  const kept = { metadata: { turns }, ...(rationale.length > 0 && { rationale: rationale.join("\n") }) };
  // A turn that the scorer has nothing to say of does not count.
  const told = scores.filter(({ value }) => value !== null);
  const numbers = told.flatMap(({ value }) => typeof value === "number" ? [value] : []);
  const marks = told.flatMap(({ passed }) => passed === undefined ? [] : [passed]);
  if (told.length === 0) return { value: null, ...kept };
  const areNumbers = numbers.length === told.length;
  const areMarks = marks.length === told.length;
  const passes = areMarks ? { passed: marks.every(Boolean) } : {};
  const way = combine ?? (areNumbers ? "mean" : "all");
  if (way === "all" && areMarks) return { value: marks.every(Boolean), ...kept };
  if (way === "mean" && areNumbers) return { value: sum(numbers) / numbers.length, ...passes, ...kept };
  if (way === "mean" && areMarks) return { value: marks.filter(Boolean).length / marks.length, ...passes, ...kept };
  if (way === "worst" && areNumbers) {
    return { value: better === "higher" ? Math.min(...numbers) : Math.max(...numbers), ...passes, ...kept };
  }
  throw fault(
    "combine",
    `cannot be "${way}" for such scores: ${
      way === "worst" ? "they are no numbers" : "it is not known whether they pass"
    }`,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

/** The answers of a conversation, whether it was held now or stands in the data's outputs. */
function turnsOf(row: ScoredRow): readonly AnsweredTurn[] {
  const { output } = row;
  if (row.turns.length > 1 || !isRecord(output) || !Array.isArray(output.messages)) return row.turns;
  const messages = output.messages.map((message: unknown): ChatMessage => parseChatMessage(message));
  return messages.flatMap((message, place) => {
    const endsTurn = message.role === "assistant" && messages[place + 1]?.role !== "tool";
    if (!endsTurn) return [];
    return [{ messages: messages.slice(0, place), response: complete(message, { model: "recorded" }), latency: 0 }];
  });
}

function rowOfTurn(
  row: ScoredRow,
  { turn, index }: { readonly turn: AnsweredTurn; readonly index: number },
): ScoredRow {
  const { response, messages, latency, timeToFirstToken } = turn;
  const message = response?.choices[0]?.message;
  return {
    ...row,
    messages,
    output: response ?? row.output,
    response,
    text: response === undefined ? row.text : message?.content ?? "",
    toolCalls: message?.tool_calls ?? [],
    turns: [turn],
    latency,
    timeToFirstToken,
    usage: response?.usage,
    expectations: expectationsOf(row, index),
  };
}

function expectationsOf({ expectations }: ScoredRow, index: number): Expectations {
  const { turns, ...others } = expectations;
  if (!Array.isArray(turns)) return expectations;
  const own: unknown = turns[index];
  return isRecord(own) ? { ...others, ...own } : others;
}

function fault(path: string, message: string): ValidationError {
  return new ValidationError("Cannot score turns", [{ path, message }]);
}
