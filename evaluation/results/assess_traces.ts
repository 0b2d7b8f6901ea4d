import { type AssessmentSource, type AssessmentValue, TrackingError, type TrackingStore } from "../../tracking/mod.ts";
import { asJson, canonicalJson, isRecord, sha256 } from "../_canonical_json.ts";
import type { ScorerConfig } from "../run/config.ts";
import type { RowResult, RowScore } from "../run/row_result.ts";
import type { EvaluationResult } from "./evaluation_result.ts";

const SOURCE_RUN = "mlflow.assessment.sourceRunId";
const SCORER_DIGEST = "mlflow.assessment.scorerDigest";
/** MLflow's code for a scorer that failed. */
const SCORER_ERROR = "SCORER_ERROR";
/** Traces that are linked to a run in one call. */
const LINKS_AT_ONCE = 100;
/** Characters that the values of facts may have. */
const LONGEST_FACT = 250;

/**
 * Logs the scores and expectations of rows to their traces, as MLflow's own evaluation does, and links them to the run. What a trace has of the same
 * run already is not logged again.
 *
 * @param store Where the traces are.
 * @param result What the evaluation came to.
 * @param options The run, and when to give up.
 * @returns How many rows have a trace that the store does not have.
 * @throws {TrackingError} As the store does.
 */
export async function assessTraces(
  store: TrackingStore,
  result: EvaluationResult,
  { runId, signal }: { readonly runId: string; readonly signal: AbortSignal },
): Promise<number> {
  const scorers = new Map(result.config.scorers.map((scorer) => [scorer.name, scorer]));
  let lost = 0;
  let linking: string[] = [];
  for await (const row of result.rows()) {
    signal.throwIfAborted();
    if (row.traceId === undefined) continue;
    const traceId = `tr-${row.traceId}`;
    if (await assessRow(store, row, { runId, scorers, traceId })) linking.push(traceId);
    else lost++;
    if (linking.length < LINKS_AT_ONCE) continue;
    await store.linkTracesToRun(runId, linking);
    linking = [];
  }
  // A server does not take the run from the spans.
  if (linking.length > 0) await store.linkTracesToRun(runId, linking);
  return lost;
}

async function assessRow(
  store: TrackingStore,
  row: RowResult,
  { runId, scorers, traceId }: {
    readonly runId: string;
    readonly scorers: ReadonlyMap<string, ScorerConfig>;
    readonly traceId: string;
  },
): Promise<boolean> {
  let known: Set<string>;
  try {
    const before = await store.getAssessments(traceId);
    known = new Set(before.filter(({ metadata }) => metadata[SOURCE_RUN] === runId).map(({ name }) => name));
  } catch (error) {
    if (error instanceof TrackingError && error.status === 404) return false;
    throw error;
  }
  for (const [name, score] of Object.entries(row.scores)) {
    if (known.has(name)) continue;
    await store.logFeedback(traceId, {
      name,
      value: score.value,
      source: sourceOf(name, scorers),
      metadata: { [SOURCE_RUN]: runId, ...digestOf(scorers.get(name)), ...factsOf(score) },
      ...(score.rationale !== undefined && { rationale: score.rationale }),
      ...(score.error !== undefined && { error: { code: SCORER_ERROR, message: score.error.message } }),
    });
  }
  for (const [name, expected] of Object.entries(row.expectations)) {
    const value = asJson(expected);
    // A score and an expectation of one name would be taken for one another.
    if (known.has(name) || Object.hasOwn(row.scores, name) || !isAssessmentValue(value)) continue;
    await store.logExpectation(traceId, { name, value, metadata: { [SOURCE_RUN]: runId } });
  }
  return true;
}

/** Scores that have another name than their scorer are MLflow's "default". */
function sourceOf(name: string, scorers: ReadonlyMap<string, ScorerConfig>): AssessmentSource {
  const scorer = scorers.get(name);
  return scorer?.source ?? { type: "CODE", id: scorer === undefined ? "default" : name };
}

function digestOf(scorer: ScorerConfig | undefined): { readonly [name: string]: string } {
  return scorer === undefined ? {} : { [SCORER_DIGEST]: `sha256:${sha256(canonicalJson(scorer))}` };
}

/** What a scorer keeps beside its score, as far as it is short enough; the table has all of it. */
function factsOf({ metadata = {} }: RowScore): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(metadata)
      .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const)
      .filter(([, text]) => text.length <= LONGEST_FACT),
  );
}

function isAssessmentValue(value: unknown): value is AssessmentValue {
  if (Array.isArray(value)) return value.every(isAssessmentValue);
  if (isRecord(value)) return Object.values(value).every(isAssessmentValue);
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
