import type { ArtifactRepository } from "../artifact_repository.ts";
import { readArtifactSpans } from "../_artifact_spans.ts";
import type { Page } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import { pageRange } from "../pages.ts";
import { readSpan, sortSpans } from "../_read_spans.ts";
import type { Trace, TraceInfo } from "../trace_entities.ts";
import { checkDeletion, checkTraceTag } from "../_trace_checks.ts";
import { parseWithTimes } from "../_trace_json.ts";
import { TRACE_KEYS, TRACKING_STORE } from "../_trace_keys.ts";
import type { DeleteTracesOptions, SearchTracesOptions } from "../trace_store.ts";
import * as v from "valibot";
import { errorOfShape } from "./_errors.ts";
import { checkExperimentIds } from "./_checks.ts";
import { toPage } from "./_convert.ts";
import { anySchema } from "./_schemas.ts";
import { deletedSchema, toTraceInfo, traceInfoSchema, traceSchema, tracesSchema } from "./_trace_schemas.ts";
import { goneIsDone, send } from "./call.ts";
import type { MlflowHttp } from "./http.ts";

/** Where what is about traces begins. */
const BASE = "/api/3.0/mlflow/traces";
/** Most traces on one page. */
const MAX_PAGE = 500;
/** Traces that may be linked by one request. */
const MAX_LINKS = 100;

/** Traces of a tracking server: reading, tags, links, deletion. */
export class RestTraces {
  readonly #http: MlflowHttp;
  readonly #artifacts: (uri: string) => ArtifactRepository;

  constructor(http: MlflowHttp, artifacts: (uri: string) => ArtifactRepository) {
    this.#http = http;
    this.#artifacts = artifacts;
  }

  async get(traceId: string): Promise<Trace> {
    const action = `get trace "${traceId}"`;
    const query = new URLSearchParams({ trace_id: checkId(traceId), allow_partial: "true" });
    let text: string;
    try {
      text = await this.#read(`${BASE}/get?${query}`, action);
    } catch (error) {
      // So MLflow's server says that the spans are in a file, or that it is too old to have them elsewhere.
      const isElsewhere = error instanceof TrackingError &&
        (error.errorCode === "INTERNAL_ERROR" || error.errorCode === "ENDPOINT_NOT_FOUND");
      if (!isElsewhere) throw error;
      const info = await this.getInfo(action, traceId);
      if (info.tags[TRACE_KEYS.spansLocation] === TRACKING_STORE) throw error;
      return { info, spans: await readArtifactSpans(info, this.#artifacts) };
    }
    return readTrace(action, text);
  }

  async getInfo(action: string, traceId: string): Promise<TraceInfo> {
    const answer = await send(this.#http, { action, method: "GET", path: pathOf(traceId), schema: traceInfoSchema });
    return toTraceInfo(answer.trace.trace_info);
  }

  async search(options: SearchTracesOptions): Promise<Page<TraceInfo>> {
    const { experimentIds, filter, orderBy, maxResults = 100, pageToken } = options;
    const action = "search traces";
    checkExperimentIds(action, experimentIds);
    pageRange(action, { maxResults }, { maxResults, limit: MAX_PAGE });
    const answer = await send(this.#http, {
      action,
      path: `${BASE}/search`,
      body: {
        locations: experimentIds.map((experiment_id) => ({
          type: "MLFLOW_EXPERIMENT",
          mlflow_experiment: { experiment_id },
        })),
        filter,
        max_results: maxResults,
        order_by: orderBy,
        page_token: pageToken,
      },
      schema: tracesSchema,
    });
    return toPage(answer.traces, answer.next_page_token, toTraceInfo);
  }

  async setTag(traceId: string, tag: { readonly key: string; readonly value: string }): Promise<void> {
    const action = `set tag "${tag.key}" of trace "${traceId}"`;
    checkTraceTag(action, tag);
    const { key, value } = tag;
    await send(this.#http, {
      action,
      method: "PATCH",
      path: `${pathOf(traceId)}/tags`,
      body: { key, value },
      schema: anySchema,
    });
  }

  async deleteTag(traceId: string, key: string): Promise<void> {
    await send(this.#http, {
      action: `delete tag "${key}" of trace "${traceId}"`,
      method: "DELETE",
      path: `${pathOf(traceId)}/tags`,
      body: { key },
      schema: anySchema,
      recover: goneIsDone,
    });
  }

  async delete(options: DeleteTracesOptions): Promise<number> {
    const { experimentId, traceIds, maxRequestTime, maxTraces } = options;
    const action = `delete traces of experiment "${experimentId}"`;
    checkDeletion(action, options);
    // The server takes an empty list for none at all, and would say that too little was told.
    if (traceIds?.length === 0) return 0;
    const answer = await send(this.#http, {
      action,
      path: `${BASE}/delete-traces`,
      body: {
        experiment_id: experimentId,
        request_ids: traceIds,
        max_timestamp_millis: maxRequestTime,
        max_traces: maxTraces,
      },
      schema: deletedSchema,
      idempotent: maxTraces === undefined,
    });
    return answer.traces_deleted ?? 0;
  }

  async linkToRun(runId: string, traceIds: readonly string[]): Promise<void> {
    for (let start = 0; start < traceIds.length; start += MAX_LINKS) {
      await send(this.#http, {
        action: `link traces to run "${runId}"`,
        path: "/api/2.0/mlflow/traces/link-to-run",
        body: { run_id: runId, trace_ids: traceIds.slice(start, start + MAX_LINKS) },
        schema: anySchema,
      });
    }
  }

  async #read(path: string, action: string): Promise<string> {
    const { response, touch, end, explain } = await this.#http.open(path, { action });
    try {
      const text = await response.text();
      touch();
      return text;
    } catch (error) {
      throw explain(error);
    } finally {
      end();
    }
  }
}

/** Reads an answer in which times are too large to be exact as numbers. */
function readTrace(action: string, text: string): Trace {
  let value: unknown;
  try {
    value = parseWithTimes(text);
  } catch {
    throw errorOfShape(action, ["it is not valid JSON"]);
  }
  const result = v.safeParse(traceSchema, value);
  if (!result.success) throw errorOfShape(action, result.issues.map((issue) => `"${v.getDotPath(issue) ?? ""}"`));
  const { trace_info: info, spans } = result.output.trace;
  return { info: toTraceInfo(info), spans: sortSpans((spans ?? []).map((span) => readSpan(info.trace_id, span))) };
}

/** Path of a trace below the tracking URI. */
export function pathOf(traceId: string): string {
  return `${BASE}/${encodeURIComponent(checkId(traceId))}`;
}

/** Refuses an id that is a path of its own, and would reach another route. */
function checkId(traceId: string): string {
  if (!/^(?:|\.\.?|get|search|batchGet|batchGetInfos|delete-traces)$/.test(traceId)) return traceId;
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot use "${traceId}" as the id of a trace: ids are "tr-" and 32 hexadecimal digits`,
  );
}
