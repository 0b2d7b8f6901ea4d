/**
 * What evaluations come to, for continuous integration: JUnit's XML and JSON.
 *
 * @module
 */
export { type JsonReport, jsonReport } from "./json_report.ts";
export { junitReport } from "./junit_report.ts";
export type { ReportedEvaluation } from "./reported_evaluation.ts";
