import { sleep } from "../../_sleep.ts";
import { ChatModelError, type ToolCall } from "../../types/mod.ts";
import { withSpan } from "../../tracing/mod.ts";
import type { PreparedRow } from "../data/mod.ts";
import { toRowScores, withPassed } from "../scorers/normalise_scorers.ts";
import type { ScoredRow, Scorer } from "../scorers/scorer.ts";
import { type Conversation, converse, type SimulatedUser } from "./converse.ts";
import { withinLimit } from "./_limit.ts";
import { type RowError, type RowResult, type RowScore, toRowError } from "./row_result.ts";
import type { Subject } from "./subject.ts";

/** Longest wait before a retry, in ms, unless the error itself asks for more. */
const LONGEST_DELAY = 30_000;

/** How rows are run. */
export interface RowOptions {
  /** What is evaluated. */
  readonly subject: Subject;
  /** What scores the rows. */
  readonly scorers: readonly Scorer[];
  /** Parameters for all rows. */
  readonly params: { readonly [name: string]: unknown };
  /** Seed of a row. */
  readonly seedOf: (index: number) => number | undefined;
  /** How often a row is tried again. */
  readonly retries: number;
  /** Milliseconds before the first retry. */
  readonly retryDelay: number;
  /** Milliseconds for a row, and for each of its scorers; 0 for no limit. */
  readonly rowTimeout: number;
  /** Who talks to the model after the row's own messages. */
  readonly user: SimulatedUser | undefined;
  /** Most answers of the model to one row. */
  readonly maxTurns: number;
  /** What the row's span tells, where someone traces. */
  readonly spanAttributes: { readonly [name: string]: string };
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Puts a row to the model and has the answer scored.
 *
 * @param row The row.
 * @param options How.
 * @returns What became of it, whatever the model or a scorer threw.
 * @throws The signal's reason, if that fires; nothing else.
 */
export async function runRow(row: PreparedRow, options: RowOptions): Promise<RowResult> {
  const { seedOf, scorers, signal } = options;
  const seed = seedOf(row.index);
  const startTime = Date.now();
  const progress: RowProgress = { attempts: 0, traceId: undefined };
  const base = {
    index: row.index,
    id: row.id,
    digest: row.digest,
    inputs: row.inputs,
    expectations: row.expectations,
    tags: row.tags,
    startTime,
    ...(seed !== undefined && { seed }),
  };
  let conversation: Conversation;
  try {
    conversation = await tracedAnswer(row, { options, seed, progress });
  } catch (error) {
    signal.throwIfAborted();
    return {
      ...base,
      ...traceOf(progress),
      state: "ERROR",
      error: toRowError(error),
      output: null,
      text: "",
      attempts: progress.attempts,
      scores: Object.fromEntries(scorers.flatMap(failedScore)),
    };
  }
  const { turns, output, text, latency, usage, requestId } = conversation;
  const timeToFirstToken = turns[0]?.timeToFirstToken;
  const scores = await scoreRow(row, { conversation, seed, options });
  const [last] = turns.slice(-1);
  return {
    ...base,
    ...traceOf(progress),
    state: "OK",
    output,
    text,
    attempts: progress.attempts,
    scores,
    ...(turns.length > 1 && last !== undefined && { conversation: last.messages }),
    ...(latency !== undefined && { latency }),
    ...(timeToFirstToken !== undefined && { timeToFirstToken }),
    ...(usage !== undefined && { usage }),
    ...(requestId !== undefined && { requestId }),
  };
}

/** What is known of a row while it runs. */
interface RowProgress {
  attempts: number;
  traceId: string | undefined;
}

function traceOf({ traceId }: RowProgress): { readonly traceId?: string } {
  return traceId === undefined ? {} : { traceId };
}

/** How one row is answered. */
interface Answering {
  readonly options: RowOptions;
  readonly seed: number | undefined;
  readonly progress: RowProgress;
}

/** One trace for all that a row takes: the turns of a conversation, and what is tried again. */
function tracedAnswer(row: PreparedRow, answering: Answering): Promise<Conversation> {
  const { options: { subject, spanAttributes: attributes }, progress } = answering;
  // What a span shows as its outputs is what its step gives: the answer, without all that is known of it.
  return new Promise((resolve, reject) => {
    withSpan(subject.name, { inputs: row.inputs, attributes }, async ({ traceId }) => {
      progress.traceId = traceId;
      const conversation = await answer(row, answering);
      resolve(conversation);
      return conversation.output;
    }).catch(reject);
  });
}

async function answer(row: PreparedRow, { options, seed, progress }: Answering): Promise<Conversation> {
  const { subject, params, scorers, user, maxTurns, retries, retryDelay, rowTimeout } = options;
  const streams = scorers.some((scorer) => scorer.streams === true);
  return await withinLimit(async (signal) => {
    for (;;) {
      progress.attempts++;
      try {
        return await converse(subject, row, { params, seed, streams, user, maxTurns, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (progress.attempts > retries || !ChatModelError.isInstance(error) || !error.retryable) throw error;
        const delay = Math.min(retryDelay * 2 ** (progress.attempts - 1), LONGEST_DELAY);
        await sleep(Math.max(delay, error.retryAfter ?? 0), signal);
      }
    }
  }, { limit: rowTimeout, signal: options.signal, action: "answer row", option: "rowTimeout" });
}

async function scoreRow(
  row: PreparedRow,
  { conversation, seed, options }: {
    readonly conversation: Conversation;
    readonly seed: number | undefined;
    readonly options: RowOptions;
  },
): Promise<{ readonly [name: string]: RowScore }> {
  const { turns, output, response, text, latency, usage } = conversation;
  const { index, id, inputs, expectations, tags } = row;
  const toolCalls: readonly ToolCall[] = turns.flatMap((turn) => turn.response?.choices[0]?.message.tool_calls ?? []);
  const seen: Omit<ScoredRow, "signal"> = {
    index,
    id,
    inputs,
    messages: turns.at(-1)?.messages ?? [],
    expectations,
    tags,
    output,
    response,
    text,
    toolCalls,
    turns,
    latency,
    timeToFirstToken: turns[0]?.timeToFirstToken,
    usage,
    seed,
  };
  const scores: { [name: string]: RowScore } = {};
  // One after the other, so that a judge is not asked for all scores of all rows at once.
  for (const scorer of options.scorers) {
    for (const [name, score] of await scoreBy(scorer, seen, options)) {
      if (Object.hasOwn(scores, name)) {
        const error = new ChatModelError(
          `Cannot score by "${scorer.name}": it gave a score "${name}", which another scorer gave already. Rename one`,
          { code: "invalid_value" },
        );
        scores[scorer.name] = { value: null, error: toRowError(error) };
      } else scores[name] = score;
    }
  }
  return scores;
}

async function scoreBy(
  scorer: Scorer,
  row: Omit<ScoredRow, "signal">,
  { rowTimeout, signal }: RowOptions,
): Promise<readonly (readonly [string, RowScore])[]> {
  try {
    const result = await withinLimit((signal) => scorer.score({ ...row, signal }), {
      limit: rowTimeout,
      signal,
      action: `score by "${scorer.name}"`,
      option: "rowTimeout",
    });
    return toRowScores(result, scorer);
  } catch (error) {
    signal.throwIfAborted();
    return [[scorer.name, { value: null, error: toScorerError(error, scorer) }]];
  }
}

/** What a scorer's own code threw is no failure of the model's. */
function toScorerError(error: unknown, { name }: Scorer): RowError {
  if (ChatModelError.isInstance(error)) return toRowError(error);
  const message = error instanceof Error ? error.message : String(error);
  return toRowError(
    new ChatModelError(`Cannot score by "${name}": the scorer failed: ${message}`, {
      code: "model_error",
      cause: error,
    }),
  );
}

function failedScore({ name, whenFailed }: Scorer): (readonly [string, RowScore])[] {
  if (whenFailed === undefined) return [];
  const score = typeof whenFailed === "object" ? whenFailed : withPassed(whenFailed);
  return [[name, { ...score, rationale: "The model failed on this row" }]];
}
