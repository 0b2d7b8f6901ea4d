import { suggestion } from "../../_near_names.ts";
import { ValidationError } from "../../types/mod.ts";
import { sha256 } from "../_canonical_json.ts";
import type { ScoredRow, Scorer } from "../scorers/scorer.ts";
import { showInputs, showOutputs, showValue } from "./_parts.ts";
import {
  COMPLETENESS,
  CORRECT_FACTS,
  CORRECT_RESPONSE,
  EQUIVALENCE,
  FLUENCY,
  GUIDELINES,
  RELEVANCE_TO_QUERY,
  SAFETY,
} from "./_predefined_rules.ts";
import { type JudgeSettings, makeJudge, type Prepared } from "./judge.ts";

/** Names of the predefined judges: those of MLflow's judges of the same purpose. */
export type PredefinedJudgeName =
  | "relevance_to_query"
  | "correctness"
  | "completeness"
  | "safety"
  | "fluency"
  | "equivalence"
  | "guidelines"
  | "expectations_guidelines";

/** Names of the predefined judges. */
export const PREDEFINED_JUDGES: readonly PredefinedJudgeName[] = [
  "relevance_to_query",
  "correctness",
  "completeness",
  "safety",
  "fluency",
  "equivalence",
  "guidelines",
  "expectations_guidelines",
];

/** Options for {@linkcode predefinedJudge}. */
export interface PredefinedJudgeOptions extends JudgeSettings {
  /** Name of the scores. Default: the judge's own. */
  readonly name?: string;
  /** The rules for the judge `guidelines`: one or several. */
  readonly guidelines?: string | readonly string[];
}

/**
 * Makes a scorer of a chat model for one of the purposes that MLflow has judges for. The names, the expectations they
 * need and their verdicts ("yes" or "no") are MLflow's; what the judges are told is this package's own, so their
 * verdicts may differ from MLflow's. What {@linkcode judge} says of its limits holds for these too.
 *
 * | name | asks whether the answer | needs |
 * | --- | --- | --- |
 * | `relevance_to_query` | deals with the question | |
 * | `completeness` | deals with all of it | |
 * | `correctness` | is right | `expected_facts` or `expected_response` |
 * | `equivalence` | means the same as the expected response; the same text is not shown to the judge | `expected_response` |
 * | `guidelines` | keeps rules | the option `guidelines` |
 * | `expectations_guidelines` | keeps the row's own rules | `expectations.guidelines` |
 * | `safety` | is safe to show to anyone | |
 * | `fluency` | is well written | |
 *
 * @example Usage
 * ```ts
 * import { predefinedJudge } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * const correct = predefinedJudge("correctness", { model: "models:/judge@champion" });
 * const brief = predefinedJudge("guidelines", {
 *   name: "brief",
 *   model: "models:/judge@champion",
 *   guidelines: ["The answer has at most two sentences", "The answer has no list"],
 * });
 * assertEquals([correct.name, brief.name], ["correctness", "brief"]);
 * ```
 *
 * @param judge Name of the judge.
 * @param options The model, and what the judge needs.
 * @returns The scorer. A row without the expectations it needs has an error in place of the score.
 * @throws {ValidationError} If there is no such judge, or an option is not valid.
 */
export function predefinedJudge(judge: PredefinedJudgeName, options: PredefinedJudgeOptions): Scorer {
  if (!PREDEFINED_JUDGES.includes(judge)) {
    throw fault(judge, "name", `is no predefined judge: ${suggestion(judge, PREDEFINED_JUDGES)}`);
  }
  const { name = judge } = options;
  const guidelines = readGuidelines(options.guidelines, judge);
  return makeJudge(options, {
    name,
    scale: "yes_no",
    identity: { scorer: judge, ...(guidelines.length > 0 && { guidelines: sha256(guidelines.join("\n")) }) },
    // Where nothing was said nothing can do harm, or read badly.
    ...(judge !== "safety" && judge !== "fluency" && { whenFailed: "no" }),
    prepare: (row) => prepare(judge, { row, name, guidelines }),
  });
}

interface Case {
  readonly row: ScoredRow;
  readonly name: string;
  readonly guidelines: readonly string[];
}

function prepare(judge: PredefinedJudgeName, { row, name, guidelines }: Case): Prepared {
  const outputs = { name: "outputs", text: showOutputs(row) };
  const both = [{ name: "inputs", text: showInputs(row) }, outputs];
  switch (judge) {
    case "relevance_to_query":
      return { rules: RELEVANCE_TO_QUERY, parts: both };
    case "completeness":
      return { rules: COMPLETENESS, parts: both };
    case "safety":
      return { rules: SAFETY, parts: [outputs] };
    case "fluency":
      return { rules: FLUENCY, parts: [outputs] };
    case "guidelines":
      return { rules: `${GUIDELINES}\n${listed(guidelines)}`, parts: both };
    case "expectations_guidelines": {
      const own = textsOf(row.expectations.guidelines);
      if (own === undefined) throw missing(name, "guidelines", "must be a text, or a list of texts");
      return { rules: `${GUIDELINES}\n${listed(own)}`, parts: both };
    }
    case "correctness":
      return prepareCorrectness(row, { name, both });
    case "equivalence": {
      const expected = textsOf(row.expectations.expected_response);
      if (expected === undefined) throw missing(name, "expected_response", "must be a text, or a list of texts");
      const answer = row.text.trim();
      if (expected.some((text) => text.trim() === answer)) {
        return { score: { value: "yes", passed: true, rationale: "The texts are the same" } };
      }
      return { rules: EQUIVALENCE, parts: [{ name: "expected_response", text: alternatives(expected) }, outputs] };
    }
  }
}

function prepareCorrectness(
  { expectations }: ScoredRow,
  { name, both }: { readonly name: string; readonly both: readonly { readonly name: string; readonly text: string }[] },
): Prepared {
  const facts = textsOf(expectations.expected_facts);
  if (facts !== undefined) {
    return { rules: CORRECT_FACTS, parts: [{ name: "expected_facts", text: listed(facts) }, ...both] };
  }
  const expected = textsOf(expectations.expected_response);
  if (expected === undefined) {
    throw missing(name, "expected_facts", 'or "expected_response" must be there: texts that say what is right');
  }
  return { rules: CORRECT_RESPONSE, parts: [{ name: "expected_response", text: alternatives(expected) }, ...both] };
}

function listed(texts: readonly string[]): string {
  return showValue(texts).trimStart();
}

function alternatives(texts: readonly string[]): string {
  const [only, ...others] = texts;
  return only !== undefined && others.length === 0 ? only : listed(texts);
}

function textsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === "string" && value.trim() !== "") return [value];
  const texts: readonly unknown[] = Array.isArray(value) ? value : [];
  return texts.length > 0 && texts.every(isText) ? texts : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function readGuidelines(guidelines: unknown, judge: PredefinedJudgeName): readonly string[] {
  if (judge !== "guidelines") {
    if (guidelines === undefined) return [];
    throw fault(judge, "guidelines", 'are for the judge "guidelines" alone');
  }
  const texts = textsOf(guidelines);
  if (texts === undefined) throw fault(judge, "guidelines", "must be a text or a list of texts, none of them empty");
  return texts;
}

function missing(name: string, expectation: string, message: string): ValidationError {
  return new ValidationError(`Cannot score by "${name}"`, [{ path: `expectations.${expectation}`, message }]);
}

function fault(judge: string, path: string, message: string): ValidationError {
  return new ValidationError(`Cannot make judge "${judge}"`, [{ path, message }]);
}
