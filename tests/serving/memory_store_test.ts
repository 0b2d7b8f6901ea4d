import { assertThrows } from "@std/assert";
import { MemoryResponseStore } from "../../serve.ts";
import { testResponseStore } from "./_response_store_suite.ts";

testResponseStore("MemoryResponseStore", (bounds, action) => action(new MemoryResponseStore(bounds)));

Deno.test("MemoryResponseStore refuses a limit that is none", () => {
  for (const options of [{ maxEntries: -1 }, { maxBytes: NaN }]) {
    assertThrows(() => new MemoryResponseStore(options), RangeError, "must be at least 0");
  }
});
