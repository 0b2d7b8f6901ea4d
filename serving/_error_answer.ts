/** Errors in the form that a path's clients read. */
import type { ChatModelError } from "../types/mod.ts";
import { type AnswerHeaders, errorResponse, errorStatus, jsonResponse, pushRetryHeaders } from "./_respond.ts";

/**
 * The answer that an error is.
 *
 * @param error The error.
 * @param path The request's path, without `/v1` before it and a slash after it.
 * @param headers What else goes with it.
 */
export function errorAnswer(error: ChatModelError, path: string, headers: AnswerHeaders): Response {
  return path === "/invocations" ? mlflowErrorResponse(error, headers) : errorResponse(error, headers);
}

/** An error as MLflow's clients read it: without the prompt and the stack that MLflow puts in. */
function mlflowErrorResponse(error: ChatModelError, headers: AnswerHeaders): Response {
  pushRetryHeaders(error, headers);
  const body = { error_code: mlflowErrorCode(error), message: error.message };
  return jsonResponse(JSON.stringify(body), errorStatus(error), headers);
}

/** Codes of errors in the form of a body, which MLflow tells from errors in its values. */
const FORM_CODES = ["invalid_json", "invalid_encoding", "incomplete_body", "invalid_input"];

function mlflowErrorCode(error: ChatModelError): string {
  const status = errorStatus(error);
  if (status === 400 && error.code !== null && FORM_CODES.includes(error.code)) return "BAD_REQUEST";
  if (status === 404) return "RESOURCE_DOES_NOT_EXIST";
  if (status === 400) return "INVALID_PARAMETER_VALUE";
  if (status === 429) return "REQUEST_LIMIT_EXCEEDED";
  if (status === 503) return "TEMPORARILY_UNAVAILABLE";
  return status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
}
