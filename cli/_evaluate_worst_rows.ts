import type { EvaluationResult, RowResult } from "../evaluation/mod.ts";
import { table } from "./_output.ts";

/** Rows that are shown. */
const MOST = 5;
/** Characters of a text that are shown. */
const LONGEST = 48;

interface Fault {
  readonly row: RowResult;
  readonly faults: readonly string[];
}

/**
 * The worst rows as a table: those that the model failed on, then those with the most scores that do not pass.
 *
 * @param result The evaluation; its rows are read once.
 * @returns Lines, or nothing if all rows are well.
 */
export async function worstRows(result: EvaluationResult): Promise<string> {
  let worst: Fault[] = [];
  let count = 0;
  for await (const row of result.rows()) {
    const faults = faultsOf(row);
    if (faults.length === 0) continue;
    count++;
    worst.push({ row, faults });
    // Sorting keeps the order of those that are equally bad.
    if (worst.length > MOST * 20) worst = sorted(worst);
  }
  if (count === 0) return "";
  const lines = sorted(worst).map(({ row, faults }) => [
    row.id,
    shorten(faults.join(", ")),
    shorten(lastQuestion(row)),
    shorten(row.state === "ERROR" ? row.error?.message ?? "" : row.text),
  ]);
  const shown = lines.length < count
    ? `the worst ${lines.length} of ${count} rows`
    : `${count} ${count === 1 ? "row" : "rows"}`;
  return `Something is wrong with ${shown}:\n\n${table(["row", "what", "asked", "answered"], lines)}`;
}

function sorted(faults: readonly Fault[]): Fault[] {
  return faults.toSorted((a, b) => badness(b) - badness(a)).slice(0, MOST);
}

function badness({ row, faults }: Fault): number {
  return (row.state === "ERROR" ? 1e6 : 0) + faults.length;
}

function faultsOf({ state, scores }: RowResult): readonly string[] {
  if (state === "ERROR") return ["model failed"];
  return Object.entries(scores).flatMap(([name, { passed, error }]) =>
    error !== undefined ? [`${name} failed`] : passed === false ? [name] : []
  );
}

function lastQuestion({ inputs, conversation }: RowResult): string {
  const messages: unknown = conversation ?? inputs.messages ?? inputs.conversation;
  const asked: readonly unknown[] = Array.isArray(messages) ? messages : [];
  const last = asked.findLast((message) => isRecord(message) && message.role === "user");
  if (isRecord(last)) return typeof last.content === "string" ? last.content : JSON.stringify(last.content);
  const [only] = Object.values(inputs);
  return typeof only === "string" ? only : JSON.stringify(inputs);
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null;
}

/** On one line, and without what would steer the terminal. */
function shorten(text: string): string {
  // Of long answers no more than can be shown is looked at.
  const line = text.slice(0, 20 * LONGEST).toWellFormed().replace(/[\s\p{Cc}]+/gu, " ").replace(/\p{Cf}/gu, "\ufffd")
    .trim();
  const characters = [...line];
  return characters.length <= LONGEST ? line : `${characters.slice(0, LONGEST - 1).join("")}…`;
}
