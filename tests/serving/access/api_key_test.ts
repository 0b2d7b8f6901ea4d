import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { allowsModel, checkModel } from "../../../serving/access/mod.ts";
import { ChatModelError } from "../../../types/mod.ts";
import { apiKey } from "./_keys.ts";

for (
  const [models, allowed, refused] of [
    [["demo"], ["demo", "demo:latest"], [
      "Demo",
      "demo2",
      "dem",
      "",
      "demo:1",
      "demo:latest:latest",
      "x/demo",
      "demo ",
    ]],
    [["llama3.2:latest"], ["llama3.2", "llama3.2:latest"], ["llama3.2:1b", "llama3.2:"]],
    [["llama3.2:1b"], ["llama3.2:1b"], ["llama3.2", "llama3.2:latest", "llama3.2:1b-q4"]],
    [["llama*"], ["llama", "llama3.2", "llama3.2:1b", "llama3.2:latest"], ["Llama3", "lama", "my/llama"]],
    [["llama3.2:*"], ["llama3.2", "llama3.2:latest", "llama3.2:1b"], ["llama3.21", "llama3"]],
    [["*"], ["demo", "", "x:latest"], []],
    [["a", "b*"], ["a", "b", "bc"], ["ab", "c"]],
  ] as const
) {
  Deno.test(`allowsModel() of ${JSON.stringify(models)}`, () => {
    const key = apiKey({ models });
    assertEquals(allowed.filter((model) => !allowsModel(key, model)), []);
    assertEquals(refused.filter((model) => allowsModel(key, model)), []);
  });
}

Deno.test("allowsModel() allows all when the key names none", () => {
  assertEquals(["demo", "x:latest", ""].filter((model) => !allowsModel(apiKey(), model)), []);
});

Deno.test("checkModel() refuses with status 403, and names model and key", () => {
  const key = apiKey({ models: ["demo"] });
  checkModel(key, "demo");
  const error = assertThrows(() => checkModel(key, 'other"\r\n'), ChatModelError);
  assertEquals([error.status, error.code, error.param, error.retryable], [403, "model_not_allowed", "model", false]);
  assertStringIncludes(error.message, 'Cannot use model "other\\"\\r\\n": the API key "ci" is not for it. Use a model');
});

Deno.test("checkModel() does not say all of a name that is very long", () => {
  const error = assertThrows(() => checkModel(apiKey({ models: ["demo"] }), "m".repeat(1_000_000)), ChatModelError);
  assertEquals(error.message.length < 300, true);
});
