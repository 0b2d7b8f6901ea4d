/**
 * What evaluations come to, for people: a document for the browser, a table for the terminal.
 *
 * @module
 */
export { formatSummary, type SummaryOptions } from "./format_summary.ts";
export { renderReport, type ReportOptions } from "./render_report.ts";
