/**
 * `@std/assert` for development: hands on the npm mirror's code under the names and types of the JSR package.
 * Published code depends on the real `jsr:@std/assert`.
 */
import * as std from "deno-std/assert/mod.js";

export const assert: (condition: unknown, message?: string) => asserts condition = std.assert;
export const assertEquals: <T>(actual: T, expected: T, message?: string) => void = std.assertEquals;
export const assertAlmostEquals: (actual: number, expected: number, tolerance?: number, message?: string) => void =
  std.assertAlmostEquals;
export const assertNotEquals: <T>(actual: T, expected: T, message?: string) => void = std.assertNotEquals;
export const assertStrictEquals: <T>(actual: unknown, expected: T, message?: string) => asserts actual is T =
  std.assertStrictEquals;
export const assertStringIncludes: (actual: string, expected: string, message?: string) => void =
  std.assertStringIncludes;
export const assertMatch: (actual: string, expected: RegExp, message?: string) => void = std.assertMatch;
export const assertInstanceOf: <T extends abstract new (...parameters: never[]) => unknown>(
  actual: unknown,
  expected: T,
  message?: string,
) => asserts actual is InstanceType<T> = std.assertInstanceOf;
export const assertThrows: <E extends Error = Error>(
  action: () => unknown,
  // deno-lint-ignore no-explicit-any -- the signature of the JSR package
  errorClass?: abstract new (...parameters: any[]) => E,
  messageIncludes?: string,
) => E = std.assertThrows;
export const assertRejects: <E extends Error = Error>(
  action: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any -- the signature of the JSR package
  errorClass?: abstract new (...parameters: any[]) => E,
  messageIncludes?: string,
) => Promise<E> = std.assertRejects;
