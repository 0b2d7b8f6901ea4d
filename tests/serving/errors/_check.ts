/** What every error must be, by the table of errors. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatModelError } from "../../../mod.ts";
import { errorKind } from "../../../types/_error_table.ts";

/** An answer as it came. */
export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** An error that is expected. */
export interface Expected {
  readonly code: string;
  /** @default {null} */
  readonly param?: string | null | undefined;
}

/** Checks an answer in OpenAI's form. */
export function assertErrorAnswer(answer: Received, { code, param = null }: Expected): void {
  assertHead(answer, code);
  const { error, ...rest } = JSON.parse(answer.body);
  assertEquals(rest, {});
  assertErrorObject(error, { code, param });
}

/** Checks the object under `error`, in an answer or in a frame. */
export function assertErrorObject(error: unknown, { code, param = null }: Expected): void {
  assert(typeof error === "object" && error !== null);
  const { message, ...rest } = Object.fromEntries(Object.entries(error));
  assertEquals(rest, { type: new ChatModelError("", { code }).type, param, code }, String(message));
  assertMessage(message);
}

/** MLflow's codes by status; those of a body's form are told apart. */
const MLFLOW_CODES = new Map([
  [400, "INVALID_PARAMETER_VALUE"],
  [404, "RESOURCE_DOES_NOT_EXIST"],
  [429, "REQUEST_LIMIT_EXCEEDED"],
  [503, "TEMPORARILY_UNAVAILABLE"],
]);
const FORM_CODES = ["invalid_json", "invalid_encoding", "incomplete_body", "invalid_input"];

/** Checks an answer in MLflow's form. */
export function assertMlflowAnswer(answer: Received, { code }: Expected): void {
  assertHead(answer, code);
  const { error_code, message, ...rest } = JSON.parse(answer.body);
  assertEquals(rest, {});
  const other = answer.status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR";
  assertEquals(error_code, FORM_CODES.includes(code) ? "BAD_REQUEST" : MLFLOW_CODES.get(answer.status) ?? other);
  assertMessage(message);
}

function assertMessage(message: unknown): void {
  assert(typeof message === "string" && message.length > 15 && !/\.$|\n\s+at /.test(message), String(message));
}

function assertHead({ status, headers, body }: Received, code: string): void {
  const kind = errorKind(code);
  assert(kind !== undefined, `no such code: ${code}`);
  assertEquals(status, kind.status, body);
  assertEquals(headers.get("content-type"), "application/json");
  assertMatch(headers.get("x-request-id") ?? "", /^req_[\w-]{10,}$/);
  assertEquals(headers.get("x-should-retry"), kind.retryable ? null : "false", body);
  for (const name of ["retry-after", "retry-after-ms", "allow", "accept-encoding"]) {
    assertEquals(headers.has(name), kind.headers?.includes(name) ?? false, `${name}: ${headers.get(name)}`);
  }
  if (headers.has("retry-after")) {
    assertMatch(headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    assertMatch(headers.get("retry-after-ms") ?? "", /^\d+$/);
  }
  if (headers.has("allow")) assertMatch(headers.get("allow") ?? "", /^[A-Z]+(, [A-Z]+)*$/);
}
