import type { RequestContext } from "./call_observer.ts";

/** Headers that name the conversation, the first that is there counts. The second is what Open WebUI sends. */
const SESSION_HEADERS = ["x-session-id", "x-openwebui-chat-id"];
/** Headers that name who asks. */
const USER_HEADERS = ["x-user-id", "x-openwebui-user-id"];
/** Characters of a header that are taken at most: more is no id. */
const MAX_LENGTH = 512;

/**
 * What a request's headers say of where it comes from: W3C's `traceparent` and `tracestate`, the conversation
 * (`x-session-id`, `x-openwebui-chat-id`) and who asks (`x-user-id`, `x-openwebui-user-id`).
 *
 * @example Usage
 * ```ts
 * import { requestContext } from "@chatmodel/chat-model";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new Headers({ "x-session-id": "s1" });
 * assertEquals(requestContext(headers), { session: "s1" });
 * ```
 *
 * @param headers The headers.
 * @returns What is there of it. A value of over 512 characters counts as absent.
 */
export function requestContext(headers: Headers): RequestContext {
  const traceparent = read(headers, ["traceparent"]);
  const tracestate = traceparent && read(headers, ["tracestate"]);
  const session = read(headers, SESSION_HEADERS);
  const user = read(headers, USER_HEADERS);
  return {
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
    ...(session !== undefined && { session }),
    ...(user !== undefined && { user }),
  };
}

function read(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers.get(name)?.trim();
    if (value && value.length <= MAX_LENGTH) return value;
  }
  return undefined;
}
