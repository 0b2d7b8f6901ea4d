/**
 * What models are evaluated on: rows in memory and in files, checked and read one by one.
 *
 * @module
 */
export type { EvaluationInputs, EvaluationRow, Expectations, ExpectedToolCall, PreparedRow } from "./evaluation_row.ts";
export { type EvaluationData, type OpenData, openData } from "./open_data.ts";
export type { RowPurpose } from "./prepare_row.ts";
