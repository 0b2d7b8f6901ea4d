import type { RowScore } from "../../../evaluation/mod.ts";
import { evaluate, type EvaluationRow, type ScorerSource } from "../../../evaluation/mod.ts";

/** Scores an answer that is given. */
export async function score(
  scorer: ScorerSource,
  outputs: unknown,
  expectations: EvaluationRow["expectations"] = {},
): Promise<RowScore> {
  const result = await evaluate({ data: [{ outputs, expectations }], scorers: [scorer] });
  for await (const { scores } of result.rows()) {
    const [found] = Object.values(scores);
    if (found !== undefined) return found;
  }
  throw new Error("No score");
}

/** Values that a scorer gives to answers. */
export async function valuesOf(
  scorer: ScorerSource,
  answers: readonly unknown[],
  expectations: EvaluationRow["expectations"] = {},
): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const answer of answers) values.push((await score(scorer, answer, expectations)).value);
  return values;
}

/** An answer that calls tools. */
export function calls(...made: readonly (readonly [name: string, args: unknown])[]): unknown {
  return {
    role: "assistant",
    content: null,
    tool_calls: made.map(([name, args], index) => ({
      id: `call_${index}`,
      type: "function",
      function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
    })),
  };
}
