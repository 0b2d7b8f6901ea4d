import type { ArtifactRepository } from "./artifact_repository.ts";
import { TrackingError } from "./errors.ts";
import { readSpan, sortSpans } from "./_read_spans.ts";
import { isObject, parseWithTimes } from "./_trace_json.ts";
import { TRACE_KEYS } from "./_trace_keys.ts";
import type { TraceInfo, TraceSpan } from "./trace_entities.ts";

/** What MLflow calls the file in which it keeps spans that are not in its database. */
const FILE = "traces.json";

/**
 * Reads the spans of a trace that are kept as a file.
 *
 * @param info The trace.
 * @param artifacts Opens the files under a URI.
 * @returns The spans; none where there is no file yet.
 */
export async function readArtifactSpans(
  info: TraceInfo,
  artifacts: (uri: string) => ArtifactRepository,
): Promise<TraceSpan[]> {
  const { traceId, tags } = info;
  const place = tags[TRACE_KEYS.spansLocation];
  if (place === "ARCHIVE_REPO") {
    throw new TrackingError(
      "NOT_IMPLEMENTED",
      `Cannot get trace "${traceId}": its spans are in MLflow's archive. Ask an MLflow server for it`,
    );
  }
  const uri = tags[TRACE_KEYS.artifactLocation];
  if (uri === undefined) return [];
  let content: string;
  try {
    content = await new Response(await artifacts(uri).get(FILE)).text();
  } catch (error) {
    if (error instanceof TrackingError && error.errorCode === "RESOURCE_DOES_NOT_EXIST") return [];
    throw error;
  }
  let value: unknown;
  try {
    value = parseWithTimes(content);
  } catch (cause) {
    throw new TrackingError("INTERNAL_ERROR", `Cannot get trace "${traceId}": "${uri}/${FILE}" is not valid JSON`, {
      cause,
    });
  }
  const spans: readonly unknown[] = isObject(value) && Array.isArray(value.spans) ? value.spans : [];
  return sortSpans(spans.map((span) => readSpan(traceId, span)));
}
