/**
 * Gates: conditions on what an evaluation came to, all of which must hold before a model is promoted.
 *
 * @module
 */
export { checkGate, type ConditionResult, type GateResult } from "./check_gate.ts";
export { gateMetrics, gateValues, resolveMetric } from "./gate_metrics.ts";
export { type GateCondition, type GateLimit, type GateOperator, parseGate } from "./parse_gate.ts";
