/** From the body of `POST /v1/responses` to a request that is known to be right. */
import * as v from "valibot";
import { sortFields } from "../../types/_params_schema.ts";
import { freeForm, type JsonObject } from "../../types/_schema.ts";
import { ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { checkMetadata } from "../_metadata.ts";
import { REQUEST_NAMES, type RequestFields, responseRequest } from "./_request_schema.ts";

/** A request that has passed validation: the fields that are known, without those that were `null`, and the others. */
export interface ResponseRequest extends RequestFields {
  /** Fields that are not known here, untouched. */
  readonly extra?: JsonObject;
}

/**
 * Checks the body of a request.
 *
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 */
export function parseResponseRequest(body: unknown): ResponseRequest {
  const whole = v.safeParse(freeForm, body);
  if (!whole.success) throw new ValidationError(ACTION, toIssues(whole.issues));
  const { known, extra } = sortFields(whole.output, REQUEST_NAMES);
  const result = v.safeParse(responseRequest, known);
  const found = toIssues(result.issues ?? []);
  const issues = [...findInputFaults(known), ...found, ...findLabelFaults(known["metadata"], found)];
  if (!result.success || issues.length > 0) throw new ValidationError(ACTION, issues);
  return extra === undefined ? result.output : { ...result.output, extra };
}

const ACTION = "Cannot parse response request";

function toIssues(issues: readonly v.BaseIssue<unknown>[]): ValidationIssue[] {
  return issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message }));
}

/** There must be something to answer, which the fields do not say of each other. */
function findInputFaults({ input, previous_response_id: previousId }: JsonObject): ValidationIssue[] {
  if (input !== undefined || previousId !== undefined) return [];
  return [{ path: "input", message: "Expected a string or an array of items, found nothing" }];
}

/** What is wrong with labels beyond what is known to be. */
function findLabelFaults(metadata: unknown, known: readonly ValidationIssue[]): readonly ValidationIssue[] {
  if (known.some(({ path }) => path === "metadata")) return [];
  try {
    checkMetadata(metadata, ACTION);
    return [];
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.issues.filter(({ path }) => path === "metadata" || !known.some((issue) => issue.path === path));
  }
}
