import type { GateResult } from "../gate/mod.ts";
import type { EvaluationResult } from "../results/mod.ts";
import type { RowResult, RowScore } from "../run/mod.ts";
import type { ReportedEvaluation } from "./reported_evaluation.ts";
import { escapeAttribute, escapeText } from "./_xml.ts";

/** UTF-16 units of an answer that are shown. */
const LONGEST_ANSWER = 2_000;

/** What becomes of a test. */
type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "skipped"; readonly message: string }
  | { readonly kind: "failure" | "error"; readonly message: string; readonly type: string; readonly text: string };

interface Counts {
  tests: number;
  failure: number;
  error: number;
  skipped: number;
}

/** A suite of which each row is a test. */
interface RowSuite {
  readonly name: string;
  readonly counts: Counts;
  outcome(row: RowResult): Outcome;
}

/**
 * Writes JUnit's XML, as continuous integration reads it: a suite `answers`, in which a row that the model failed on is
 * an error; a suite for each score, in which a row that does not pass is a failure, and one that the scorer failed on an
 * error; and a suite `gate` with its conditions. A row without a value is skipped; one of which it is not known whether
 * it passes counts as passed.
 *
 * A failure holds what was answered, up to 2000 UTF-16 units.
 *
 * @param evaluation The evaluation, and the gate it was checked by.
 * @returns The document in pieces. The rows are read once for each suite, and none is kept.
 */
export async function* junitReport({ candidate, gate }: ReportedEvaluation): AsyncGenerator<string> {
  const suites = await countedSuites(candidate);
  const { model, dataset } = candidate.config;
  const gateCounts = countConditions(gate);
  const total = sum([...suites.map(({ counts }) => counts), ...gateCounts === undefined ? [] : [gateCounts]]);
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="${escapeAttribute(`${model.name} on ${dataset.name}`)}"${countsOf(total)}>\n`;
  if (gate !== undefined && gateCounts !== undefined) yield writeGate(gate, gateCounts);
  for (const suite of suites) yield* writeSuite(candidate, suite);
  yield "</testsuites>\n";
}

async function countedSuites(candidate: EvaluationResult): Promise<readonly RowSuite[]> {
  const suites: RowSuite[] = [
    { name: "answers", counts: zero(), outcome: ofAnswer },
    ...[...candidate.scores.keys()].map((name) => ({
      name,
      counts: zero(),
      outcome: (row: RowResult) => ofScore(name, row),
    })),
  ];
  for await (const row of candidate.rows()) {
    for (const { counts, outcome } of suites) {
      const { kind } = outcome(row);
      counts.tests++;
      if (kind !== "passed") counts[kind]++;
    }
  }
  return suites;
}

async function* writeSuite(candidate: EvaluationResult, { name, counts, outcome }: RowSuite): AsyncGenerator<string> {
  yield `  <testsuite name="${escapeAttribute(name)}"${countsOf(counts)}>\n`;
  for await (const row of candidate.rows()) {
    const time = name === "answers" ? row.latency : undefined;
    yield writeCase({ suite: name, name: row.id, outcome: outcome(row), ...(time !== undefined && { time }) });
  }
  yield "  </testsuite>\n";
}

function writeGate(gate: GateResult, counts: Counts): string {
  const cases = gate.conditions.map(({ condition, holds, reason }) =>
    writeCase({
      suite: "gate",
      name: condition,
      outcome: holds
        ? { kind: "passed" }
        : { kind: "failure", message: reason, type: "GateRefused", text: `${condition}: ${reason}` },
    })
  );
  return `  <testsuite name="gate"${countsOf(counts)}>\n${cases.join("")}  </testsuite>\n`;
}

function writeCase(
  { suite, name, outcome, time }: {
    readonly suite: string;
    readonly name: string;
    readonly outcome: Outcome;
    /** In ms. */
    readonly time?: number;
  },
): string {
  const seconds = time === undefined ? "" : ` time="${(time / 1000).toFixed(6)}"`;
  const head = `    <testcase classname="${escapeAttribute(suite)}" name="${escapeAttribute(name)}"${seconds}`;
  switch (outcome.kind) {
    case "passed":
      return `${head}/>\n`;
    case "skipped":
      return `${head}><skipped message="${escapeAttribute(outcome.message)}"/></testcase>\n`;
    default: {
      const { kind, message, type, text } = outcome;
      const attributes = `message="${escapeAttribute(message)}" type="${escapeAttribute(type)}"`;
      return `${head}><${kind} ${attributes}>${escapeText(text)}</${kind}></testcase>\n`;
    }
  }
}

function ofAnswer({ state, error, attempts }: RowResult): Outcome {
  if (state === "OK") return { kind: "passed" };
  const { message = "The model failed", name = "Error" } = error ?? {};
  return { kind: "error", message, type: name, text: `${message}\nAsked ${attempts} times` };
}

function ofScore(name: string, row: RowResult): Outcome {
  const score = row.scores[name];
  if (score === undefined) {
    return { kind: "skipped", message: row.state === "OK" ? "There is no such score of this row" : "The model failed" };
  }
  const { value, passed, error } = score;
  if (error !== undefined) return { kind: "error", message: error.message, type: error.name, text: error.message };
  if (passed === false) {
    return { kind: "failure", message: messageOf(name, score), type: "NotPassed", text: detailsOf(row, score) };
  }
  return value === null && passed === undefined
    ? { kind: "skipped", message: "The scorer has nothing to say of this row" }
    : { kind: "passed" };
}

function messageOf(name: string, { value, rationale }: RowScore): string {
  return `${name} is ${JSON.stringify(value)}${rationale === undefined ? "" : `: ${rationale}`}`;
}

function detailsOf({ state, text, expectations, tags }: RowResult, { rationale }: RowScore): string {
  const { expected_response: expected } = expectations;
  return [
    ...(rationale === undefined ? [] : [`Why: ${rationale}`]),
    ...(expected === undefined
      ? []
      : [`Expected: ${shorten(typeof expected === "string" ? expected : JSON.stringify(expected))}`]),
    state === "OK" ? `Answered: ${shorten(text)}` : "The model failed",
    ...(Object.keys(tags).length === 0 ? [] : [`Tags: ${JSON.stringify(tags)}`]),
  ].join("\n");
}

function shorten(text: string): string {
  return text.length <= LONGEST_ANSWER ? text : `${text.slice(0, LONGEST_ANSWER)}…`;
}

function countConditions(gate: GateResult | undefined): Counts | undefined {
  if (gate === undefined) return undefined;
  return {
    ...zero(),
    tests: gate.conditions.length,
    failure: gate.conditions.filter(({ holds }) => !holds).length,
  };
}

function countsOf({ tests, failure, error, skipped }: Counts): string {
  return ` tests="${tests}" failures="${failure}" errors="${error}" skipped="${skipped}"`;
}

function sum(all: readonly Counts[]): Counts {
  const total = zero();
  for (const { tests, failure, error, skipped } of all) {
    total.tests += tests;
    total.failure += failure;
    total.error += error;
    total.skipped += skipped;
  }
  return total;
}

function zero(): Counts {
  return { tests: 0, failure: 0, error: 0, skipped: 0 };
}
