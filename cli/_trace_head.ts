import type { Assessment, AssessmentValue, TraceInfo } from "../tracking/mod.ts";
import { formatTime } from "./_output.ts";
import { formatDuration, oneLine } from "./_trace_text.ts";

/** What there is to know of a trace but its spans, in lines. */
export function traceHead(info: TraceInfo): string[] {
  const { metadata, tokenUsage, executionDuration } = info;
  const tags = Object.entries(info.tags).filter(([key]) => !key.startsWith("mlflow."));
  return [
    ...fact("Trace", `${info.traceId}  ${info.name ?? ""}`.trimEnd()),
    ...fact("State", info.state),
    ...fact("Experiment", info.experimentId),
    ...fact("Started", formatTime(info.requestTime)),
    ...fact("Took", executionDuration === undefined ? undefined : formatDuration(executionDuration)),
    ...fact(
      "Tokens",
      tokenUsage && `${tokenUsage.totalTokens} (${tokenUsage.inputTokens} in, ${tokenUsage.outputTokens} out)`,
    ),
    ...fact("Session", metadata["mlflow.trace.session"]),
    ...fact("User", metadata["mlflow.trace.user"]),
    ...fact("Run", metadata["mlflow.sourceRun"]),
    ...fact("Model", metadata["mlflow.modelId"]),
    ...fact("Tags", tags.map(([key, value]) => `${key}=${value}`).join(", ")),
  ];
}

function fact(name: string, value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [`${name.padEnd(12)}${oneLine(value)}`];
}

/** An assessment in one line. */
export function assessmentLine(assessment: Assessment): string {
  const { name, value, error, source, rationale, kind, valid } = assessment;
  const said = error === undefined ? textOf(value) : `${error.code}${error.message ? `: ${error.message}` : ""}`;
  return oneLine([
    `${name}${kind === "feedback" ? "" : ` (${kind})`}`,
    said,
    `${source.type} ${source.id}`,
    ...(rationale === undefined ? [] : [rationale]),
    ...(valid ? [] : ["(no longer valid)"]),
  ].join(" · ")).replace(/^/, "  ");
}

function textOf(value: AssessmentValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a person gives as the value of a judgement: JSON where it is such, else text. */
export function feedbackValueOf(text: string): AssessmentValue {
  try {
    return valueOf(JSON.parse(text));
  } catch {
    return text;
  }
}

function valueOf(value: unknown): AssessmentValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(valueOf);
  if (typeof value !== "object" || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, valueOf(member)]));
}
