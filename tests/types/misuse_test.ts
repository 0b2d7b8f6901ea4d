import { assertEquals } from "@std/assert";
import type { ChatCompletionRequest, ChatMessage, ChatParams, ToolChoice, UserContentPart } from "../../types/mod.ts";
import type { ResponseFormat } from "../../types/mod.ts";

Deno.test("the wire's interfaces refuse what the wire does not allow", () => {
  const messages: readonly ChatMessage[] = [
    { role: "user", content: "a" },
    // @ts-expect-error -- no such role
    { role: "bot", content: "a" },
    // @ts-expect-error -- a user says something
    { role: "user" },
    // @ts-expect-error -- null is absent
    { role: "assistant", content: null },
    // @ts-expect-error -- undefined is not absent
    { role: "user", content: "a", name: undefined },
    // @ts-expect-error -- a tool message answers a call
    { role: "tool", content: "a" },
    // @ts-expect-error -- only users show images
    { role: "system", content: [{ type: "image_url", image_url: { url: "u" } }] },
  ];
  const part: UserContentPart = {
    type: "image_url",
    // @ts-expect-error -- the bare string is for the wire only
    image_url: "u",
  };
  const params: ChatParams = {
    // @ts-expect-error -- a number
    temperature: "0",
  };
  const more: ChatParams = {
    // @ts-expect-error -- unknown fields stand in extra
    num_ctx: 8192,
  };
  // @ts-expect-error -- no such word
  const choice: ToolChoice = "any";
  // @ts-expect-error -- no name
  const format: ResponseFormat = { type: "json_schema", json_schema: {} };
  // @ts-expect-error -- no messages
  const request: ChatCompletionRequest = { model: "m", num_ctx: 8192 };
  const complete: ChatCompletionRequest = { messages: [{ role: "user", content: "a" }], num_ctx: 8192 };

  // @ts-expect-error -- parsed messages are not to be changed
  const change = () => messages.push({ role: "user", content: "b" });
  change();
  assertEquals([messages.length, part.type, choice, format.type, request.model], [
    8,
    "image_url",
    "any",
    "json_schema",
    "m",
  ]);
  assertEquals(Object.keys({ ...params, ...more, ...complete }), ["temperature", "num_ctx", "messages"]);
});
