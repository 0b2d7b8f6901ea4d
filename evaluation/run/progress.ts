import type { RowResult } from "./row_result.ts";

/** How far an evaluation is. */
export type EvaluationProgress =
  & {
    /** Rows in all. */
    readonly total: number;
    /** Rows that are done, those of before it was resumed among them. */
    readonly done: number;
    /** Rows that the model failed on since it began or was resumed. */
    readonly failed: number;
  }
  & (
    | {
      /** It begins: `done` is what was there already. */
      readonly type: "evaluation-start";
    }
    | {
      /** A row is done. */
      readonly type: "row-end";
      /** What became of it. */
      readonly row: RowResult;
    }
    | {
      /** All rows are done. */
      readonly type: "evaluation-end";
    }
  );
