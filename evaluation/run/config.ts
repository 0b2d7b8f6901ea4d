import type { JsonValue } from "../../model_config.ts";
import type { AssessmentSource } from "../../tracking/mod.ts";
import type { ScoreValue } from "../scorers/scorer.ts";

/** What is evaluated how: what must be the same for an evaluation to be resumed, or for two to be compared. */
export interface EvaluationConfig {
  /** The model. */
  readonly model: {
    /** Name for people. */
    readonly name: string;
    /** URI that it was loaded by. */
    readonly uri?: string;
    /** Id of the logged model. */
    readonly modelId?: string;
  };
  /** The data. */
  readonly dataset: {
    /** Name for people: that of the file, or `dataset`. */
    readonly name: string;
    /** SHA-256 of all rows. */
    readonly digest: string;
    /** How many rows there are. */
    readonly count: number;
  };
  /** The scorers, in their order. */
  readonly scorers: readonly ScorerConfig[];
  /** Parameters for all rows. */
  readonly params: { readonly [name: string]: JsonValue };
  /** The seed, if there is one. */
  readonly seed?: number;
  /** Most answers of the model to one row, where a user is simulated. */
  readonly maxTurns?: number;
}

/** What is known of a scorer without its code. */
export interface ScorerConfig {
  /** Its name. */
  readonly name: string;
  /** Whether more is better. */
  readonly better: "higher" | "lower";
  /** What a row counts as that the model failed on. */
  readonly whenFailed?: ScoreValue | { readonly value: ScoreValue; readonly passed: boolean };
  /** How it is set up. */
  readonly config?: JsonValue;
  /** Who judges. */
  readonly source?: AssessmentSource;
}
