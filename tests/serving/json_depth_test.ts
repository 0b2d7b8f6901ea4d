import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { isTooDeep } from "../../serving/_json_depth.ts";
import { assertError, post, testApp } from "./_app.ts";

/** Levels of a value. */
function depth(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}

Deno.test("isTooDeep() tells the depth of any JSON", () => {
  const tricky = fc.stringMatching(/^[[\]{}"\\a]{0,20}$/);
  const json = fc.jsonValue({ maxDepth: 8, depthSize: "max", noUnicodeString: false });
  const nested = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 8 },
      tricky,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(tricky, tie("value"), { maxKeys: 3 }),
    ),
  })).value;
  fc.assert(fc.property(fc.oneof(json, nested), fc.integer({ min: 0, max: 9 }), (value, limit) => {
    assertEquals(isTooDeep(JSON.stringify(value), limit), depth(value) > limit);
  }));
});

Deno.test("isTooDeep() goes through many brackets in strings, and strings without an end, in linear time", () => {
  assertEquals(isTooDeep(`"${"[".repeat(5_000_000)}"`, 10), false);
  assertEquals(isTooDeep(`["${"\\\\".repeat(2_000_000)}", ${"[],".repeat(1_000_000)}1]`, 10), false);
  assertEquals(isTooDeep(`"${"[".repeat(5_000_000)}`, 10), false);
  assertEquals(isTooDeep(`${"[".repeat(5_000_000)}`, 10), true);
});

function deep(levels: number): Record<string, unknown> {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { a: value };
  return { messages: [{ role: "user", content: "Hi" }], extra: value };
}

Deno.test("createApp() answers what is 500 deep, and refuses what is deeper", async () => {
  const app = testApp();
  assertEquals((await post(app, deep(499))).status, 200);
  assertError(await post(app, deep(500)), 400, "invalid_json");
  assertEquals(app.errors, []);
});
