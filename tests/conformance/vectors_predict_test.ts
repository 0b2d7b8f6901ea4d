import { assertEquals, assertThrows } from "@std/assert";
import { accumulate } from "../../streaming/mod.ts";
import { ValidationError } from "../../types/mod.ts";
import { testCases } from "./_case.ts";
import { PREDICT } from "./_groups_loaded.ts";
import { at, loadEcho, predictStream } from "./_run.ts";

testCases(PREDICT);

Deno.test("LoadedChatModel.predictStream() takes a request alone in a list, as predict() does, and not two", async () => {
  const model = await loadEcho();
  const request = { messages: [{ role: "user", content: "x" }] };
  const answer = await accumulate(predictStream(model, [request]));
  assertEquals(at(answer, "choices", 0, "message", "content"), "abc");
  for (const input of [[request, request], []]) {
    assertThrows(() => predictStream(model, input), ValidationError, "Expected an object, found an");
  }
});
