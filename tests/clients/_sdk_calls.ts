/** What the tests of OpenAI's own client do with each call: get the answer in its three ways. */
import type { APIPromise } from "openai";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertStrictEquals } from "@std/assert";

/**
 * Awaits a call in each way that the client has, and checks that they are of one answer.
 *
 * @param call The call.
 * @returns The answer, parsed.
 */
export async function threeWays<T>(call: APIPromise<T>): Promise<T> {
  const response = await call.asResponse();
  assertInstanceOf(response, Response);
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("x-request-id") ?? "", /^req_/);
  const data = await call;
  assert(!(data instanceof Response));
  const both = await call.withResponse();
  assertStrictEquals<unknown>(both.data, data);
  assertStrictEquals(both.response, response);
  return data;
}
