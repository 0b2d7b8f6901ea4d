import { type CheckedAssessment, checkExpectation, checkFeedback } from "../_assessment_values.ts";
import { TrackingError } from "../errors.ts";
import type { Assessment } from "../trace_entities.ts";
import { dumpJson } from "../_trace_json.ts";
import type { LogExpectationOptions, LogFeedbackOptions } from "../trace_store.ts";
import { anySchema } from "./_schemas.ts";
import { assessmentSchema, toAssessment } from "./_trace_schemas.ts";
import { goneIsDone, send } from "./call.ts";
import type { MlflowHttp } from "./http.ts";
import { pathOf } from "./traces.ts";

/** What was said of the quality of traces of a tracking server. */
export class RestAssessments {
  readonly #http: MlflowHttp;

  constructor(http: MlflowHttp) {
    this.#http = http;
  }

  logFeedback(traceId: string, options: LogFeedbackOptions): Promise<Assessment> {
    const action = `log feedback "${options.name}" of trace "${traceId}"`;
    return this.#log(action, traceId, checkFeedback(action, options));
  }

  logExpectation(traceId: string, options: LogExpectationOptions): Promise<Assessment> {
    const action = `log expectation "${options.name}" of trace "${traceId}"`;
    return this.#log(action, traceId, checkExpectation(action, options));
  }

  async delete(traceId: string, assessmentId: string): Promise<void> {
    await send(this.#http, {
      action: `delete assessment "${assessmentId}" of trace "${traceId}"`,
      method: "DELETE",
      path: `${pathOf(traceId)}/assessments/${encodeURIComponent(assessmentId)}`,
      schema: anySchema,
      recover: goneIsDone,
    });
  }

  async #log(action: string, traceId: string, assessment: CheckedAssessment): Promise<Assessment> {
    try {
      const { assessment: logged } = await send(this.#http, {
        action,
        path: `${pathOf(traceId)}/assessments`,
        body: { assessment: toWire(traceId, assessment) },
        schema: assessmentSchema,
        idempotent: false,
      });
      return toAssessment(traceId, logged);
    } catch (error) {
      throw explained(error, action);
    }
  }
}

/** MLflow 3.12 hands on what its database says of a trace that there is not. */
function explained(error: unknown, action: string): unknown {
  if (!(error instanceof TrackingError) || !/foreign key constraint/i.test(error.message)) return error;
  return new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot ${action}: there is no such trace. List them with searchTraces`,
    { cause: error },
  );
}

function toWire(traceId: string, assessment: CheckedAssessment): object {
  const { kind, name, value, source, metadata, spanId, rationale, error, overrides } = assessment;
  const now = new Date().toISOString();
  return {
    assessment_name: name,
    trace_id: traceId,
    span_id: spanId,
    source: { source_type: source.type, source_id: source.id },
    create_time: now,
    last_update_time: now,
    ...(kind === "feedback"
      ? { feedback: { value, error: error && { error_code: error.code, error_message: error.message } } }
      : { expectation: expectationOf(value) }),
    rationale,
    metadata,
    overrides,
    valid: true,
  };
}

/** As MLflow's client: what is no plain value goes as a text of JSON. */
function expectationOf(value: unknown): object {
  if (typeof value !== "object") return { value };
  return { serialized_value: { serialization_format: "JSON_FORMAT", value: dumpJson(value) } };
}
