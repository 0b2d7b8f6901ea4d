import type { AnswerHeaders } from "./_respond.ts";

const RATE_LIMIT_HEADERS = ["requests", "tokens"].flatMap((kind) =>
  ["limit", "remaining", "reset"].map((what) => `x-ratelimit-${what}-${kind}`)
);

const EXPOSED = [
  "x-request-id",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "openai-processing-ms",
  ...RATE_LIMIT_HEADERS,
]
  .join(", ");

/** Lets the page read the answer, and the headers that OpenAI's client looks at. */
export function pushCorsHeaders(origin: string, headers: AnswerHeaders): void {
  headers.push(["access-control-allow-origin", origin], ["vary", "origin"]);
  headers.push(["access-control-expose-headers", EXPOSED]);
}

/** Answers a browser's question whether it may send the real request. */
export function preflightResponse(request: Request, methods: readonly string[], headers: AnswerHeaders): Response {
  headers.push(["access-control-allow-methods", methods.join(", ")], ["access-control-max-age", "86400"]);
  // Echoed, as "*" does not cover Authorization.
  const wanted = request.headers.get("access-control-request-headers");
  if (wanted !== null) headers.push(["access-control-allow-headers", wanted]);
  return new Response(null, { status: 204, headers: headers.complete() });
}
