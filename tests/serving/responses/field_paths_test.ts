import { assertEquals } from "@std/assert";
import { toResponsesPath } from "../../../serving/responses/_field_paths.ts";

Deno.test("toResponsesPath() gives a field's place in the Responses API", () => {
  const cases = {
    "messages": "input",
    "messages.0.content.1.image_url.url": "input",
    "response_format": "text.format",
    "response_format.type": "text.format.type",
    "response_format.json_schema.schema": "text.format.schema",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "tools.0.function.parameters.type": "tools.0.parameters.type",
    "tool_choice.function.name": "tool_choice.name",
    "input.0.content": "input.0.content",
    "temperature": "temperature",
    "model": "model",
  };
  assertEquals(Object.fromEntries(Object.keys(cases).map((path) => [path, toResponsesPath(path)])), cases);
});
