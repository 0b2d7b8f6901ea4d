/** Keys for tests. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type ApiKey, hashSecret } from "../../../serving/access/mod.ts";
import { ChatModelError, ValidationError } from "../../../types/mod.ts";

/** Keys of the length and form of those that the command line makes. */
export const SECRET = `sk-${"a1B2".repeat(12)}`;
export const OTHER_SECRET = `sk-${"Zz9y".repeat(12)}`;

/** A key for {@linkcode SECRET}, unless told otherwise. */
export function apiKey(members: Partial<ApiKey> = {}): ApiKey {
  return { name: "ci", sha256: hashSecret(SECRET), ...members };
}

/** That an action is refused as OpenAI refuses who has no key; gives the message. */
export function refusedKey(action: () => unknown): string {
  const error = assertThrows(action, ChatModelError);
  assertEquals([error.status, error.code, error.param, error.retryable], [401, "invalid_api_key", null, false]);
  assertEquals(error.cause, undefined);
  assertEquals(Object.keys(error.toErrorObject()), ["message", "type", "param", "code"]);
  assert(!error.message.endsWith("."), error.message);
  assert(error.message.length < 300, error.message);
  return error.message;
}

/** All that is wrong, by its path. */
export function issuesOf(action: () => unknown): (readonly [path: string, message: string])[] {
  const error = assertThrows(action, ValidationError);
  assertEquals([error.status, error.code, error.cause], [500, "invalid_option", undefined]);
  return error.issues.map(({ path, message }) => [path, message]);
}
