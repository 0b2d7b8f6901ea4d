/** Answers that tell of errors: by the table of all errors, a status with all that can lead to it. */
import { ERROR_GROUPS, type ErrorKind } from "../../types/_error_table.ts";
import { errorHeaders } from "./headers.ts";
import { type Json, ref } from "./json.ts";

const [, , MODEL = {}, LOADING = {}] = Object.values(ERROR_GROUPS);
const KINDS = new Map<string, ErrorKind>(Object.values(ERROR_GROUPS).flatMap((kinds) => Object.entries(kinds)));

/** What any request can meet, before its route has seen it. */
const ANY = [
  "malformed_request",
  "invalid_host_header",
  "invalid_header",
  "invalid_url",
  "unknown_expectation",
  "headers_too_large",
  "request_timeout",
  // By its transfer encoding: only where a body is read, its content encoding matters, too.
  "unsupported_encoding",
  "host_not_allowed",
  "origin_not_allowed",
];

/** What is wrong with a body before it is looked into. */
export const BODY_ERRORS = [
  "request_too_large",
  "incomplete_body",
  "invalid_encoding",
  "invalid_json",
  "array_above_max_length",
];

/** What can go wrong where answers are kept. */
export const STORE_ERRORS = ["store_error"];

/** What can go wrong where a model is looked for. */
export const DIRECTORY_ERRORS = Object.keys(MODEL).filter((code) =>
  /^(upstream_|timeout|rate_|overloaded|server_|model_error|permission_|cancelled)/.test(code)
);

/** What can go wrong where a model answers. */
export const MODEL_ERRORS = [
  "invalid_value",
  "invalid_image_url",
  "unsupported_value",
  "unsupported_feature",
  "unsupported_model",
  "context_length_exceeded",
  "model_not_found",
  "model_not_allowed",
  ...Object.keys(MODEL).filter((code) => !["store_error", "invalid_stored_response"].includes(code)),
  ...Object.keys(LOADING),
];

/** The form of errors. */
export interface ErrorForm {
  /** Whether no key is asked for. @default {false} */
  readonly isPublic?: boolean;
  /** Whether the route tells of errors as MLflow does. @default {false} */
  readonly isMlflow?: boolean;
  /** Whether a model's own errors can come, which may have any status. @default {false} */
  readonly hasModel?: boolean;
}

/** Answers that several routes give. */
export class SharedAnswers {
  readonly #answers = new Map<string, { readonly name: string; readonly answer: Json }>();
  readonly #counts = new Map<string, number>();

  /** References to answers, which are given names, in the place of them. */
  refs(answers: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
    return Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [
        status,
        { $ref: `#/components/responses/${this.#nameOf(status, answer)}` },
      ]),
    );
  }

  /** The answers under their names. */
  named(): Json {
    return Object.fromEntries([...this.#answers.values()].map(({ name, answer }) => [name, answer]));
  }

  #nameOf(status: string, answer: Json): string {
    const key = JSON.stringify([status, answer]);
    const known = this.#answers.get(key);
    if (known !== undefined) return known.name;
    const count = (this.#counts.get(status) ?? 0) + 1;
    this.#counts.set(status, count);
    const kind = status === "default" ? "ModelError" : `Error${status}`;
    const name = count === 1 ? kind : `${kind}-${count}`;
    this.#answers.set(key, { name, answer });
    return name;
  }
}

/** The answers to a route's errors by their status. */
export function errorAnswers(
  codes: readonly string[],
  { isPublic = false, isMlflow = false, hasModel = false }: ErrorForm,
): Readonly<Record<string, Json>> {
  const byStatus = new Map<number, string[]>();
  for (const code of new Set([...ANY, ...isPublic ? [] : ["invalid_api_key"], ...codes])) {
    const { status } = kindOf(code);
    const others = byStatus.get(status);
    if (others === undefined) byStatus.set(status, [code]);
    else others.push(code);
  }
  const statuses = [...byStatus].sort(([a], [b]) => a - b);
  return {
    ...Object.fromEntries(
      statuses.map(([status, codes]) => [String(status), errorAnswer(status, codes, schemaOf(codes, isMlflow))]),
    ),
    ...hasModel && {
      default: {
        description: "An error of the model's own, which may have any status from 400 to 599.",
        headers: errorHeaders(0, { isRetryable: true }),
        content: { "application/json": { schema: ref(isMlflow ? "MlflowError" : "ErrorResponse") } },
      },
    },
  };
}

function errorAnswer(status: number, codes: readonly string[], schema: Json): Json {
  const kinds = codes.map((code) => `- \`${code}\`: ${kindOf(code).when}.`);
  const isRetryable = codes.some((code) => kindOf(code).retryable ?? false);
  return {
    description: kinds.join("\n"),
    headers: errorHeaders(status, { isRetryable }),
    content: { "application/json": { schema } },
  };
}

/** What cannot be read as a request has no path either, by which its form could be chosen. */
const UNREADABLE = ["malformed_request", "headers_too_large", "request_timeout"];

/** Errors that come in either form: of chunks that cannot be read, and of bodies. */
const EITHER = ["request_too_large"];

function schemaOf(codes: readonly string[], isMlflow: boolean): Json {
  if (!isMlflow || codes.every((code) => UNREADABLE.includes(code))) return ref("ErrorResponse");
  return codes.some((code) => UNREADABLE.includes(code) || EITHER.includes(code))
    ? { anyOf: [ref("MlflowError"), ref("ErrorResponse")] }
    : ref("MlflowError");
}

function kindOf(code: string): ErrorKind {
  const kind = KINDS.get(code);
  if (kind === undefined) throw new Error(`Cannot describe error "${code}": it is not in the table`);
  return kind;
}
