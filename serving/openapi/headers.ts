/** Headers of answers. */
import type { Json } from "./json.ts";

/** Headers under the names that they have in the document. */
export const HEADERS = {
  RequestId: {
    description:
      "Id of the request: what its own `x-request-id` says, if that is 1 to 128 letters, digits, or any of " +
      "`_.:-`, else a new one. The server's log has it too.",
    required: true,
    schema: { type: "string", pattern: "^[A-Za-z0-9_.:-]{1,128}$" },
  },
  ProcessingMs: {
    description: "Whole milliseconds from the request to the head of its answer.",
    required: true,
    schema: { type: "integer", minimum: 0 },
  },
  ShouldRetry: {
    description: "`false` where the same request cannot succeed later.",
    schema: { type: "string", const: "false" },
  },
  RetryAfter: {
    description: "Whole seconds after which a new try makes sense, if that is known.",
    schema: { type: "integer", minimum: 1 },
  },
  RetryAfterMs: {
    description: "The same in milliseconds.",
    schema: { type: "integer", minimum: 0 },
  },
  Authenticate: {
    description: "How to say who asks.",
    required: true,
    schema: { type: "string", const: "Bearer" },
  },
  RateLimit: {
    description: "Most requests or tokens in a minute, by the key's limits.",
    schema: { type: "integer", minimum: 1 },
  },
  RateLimitRemaining: {
    description: "How many of them are left at present.",
    schema: { type: "integer", minimum: 0 },
  },
  RateLimitReset: {
    description: "Time until all of them are there again, if nothing else is asked.",
    schema: { type: "string", pattern: "^(\\d+h)?(\\d+m)?\\d+(\\.\\d+)?m?s$" },
  },
  AcceptEncoding: {
    description: "Encodings that a body may have; where it has another.",
    schema: { type: "string" },
  },
} as const satisfies Readonly<Record<string, Json>>;

/** Where headers are described. */
type HeaderName = keyof typeof HEADERS;

/** The headers of every answer that a route gives. */
export const COMMON_HEADERS: Json = {
  "x-request-id": headerRef("RequestId"),
  "openai-processing-ms": headerRef("ProcessingMs"),
};

/** The headers that tell how much a key may still ask, where it is limited. */
export const RATE_LIMIT_HEADERS: Json = Object.fromEntries(
  ["requests", "tokens"].flatMap((kind) => [
    [`x-ratelimit-limit-${kind}`, headerRef("RateLimit")],
    [`x-ratelimit-remaining-${kind}`, headerRef("RateLimitRemaining")],
    [`x-ratelimit-reset-${kind}`, headerRef("RateLimitReset")],
  ]),
);

/** The headers that an error of a status can have. */
export function errorHeaders(status: number, { isRetryable }: { readonly isRetryable: boolean }): Json {
  return {
    ...COMMON_HEADERS,
    "x-should-retry": headerRef("ShouldRetry"),
    ...isRetryable && { "retry-after": headerRef("RetryAfter"), "retry-after-ms": headerRef("RetryAfterMs") },
    ...status === 401 && { "www-authenticate": headerRef("Authenticate") },
    ...status === 429 && RATE_LIMIT_HEADERS,
    ...status === 415 && { "accept-encoding": headerRef("AcceptEncoding") },
  };
}

function headerRef(name: HeaderName): { readonly $ref: string } {
  return { $ref: `#/components/headers/${name}` };
}
