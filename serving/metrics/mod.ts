/**
 * Counts of what a server does, for Prometheus.
 *
 * @module
 */
export { type MetricsSources, type ModelLoad, ServerMetrics } from "./server_metrics.ts";
