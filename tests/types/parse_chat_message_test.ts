import { assertEquals, assertStrictEquals } from "@std/assert";
import { parseChatMessage, parseChatRequest } from "../../types/mod.ts";

const IMAGE = { type: "image_url", image_url: { url: "data:image/png;base64,AA==", detail: "low" } };
const FUNCTION_CALL = { id: "call_1", type: "function", function: { name: "f", arguments: '{"a": 1' } };
const CUSTOM_CALL = { id: "call_2", type: "custom", custom: { name: "sql", input: "SELECT 1" } };

for (
  const message of [
    { role: "system", content: "Be brief" },
    { role: "system", content: [{ type: "text", text: "Be brief" }], name: "ops" },
    { role: "developer", content: "Be brief" },
    { role: "developer", content: [] },
    { role: "user", content: "" },
    { role: "user", content: "Hi", name: "" },
    { role: "user", content: [{ type: "text", text: "" }, IMAGE, IMAGE] },
    { role: "user", content: [{ type: "input_audio", input_audio: { data: "AA==", format: "mp3" } }] },
    { role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] },
    {
      role: "user",
      content: [{ type: "file", file: { file_data: "data:application/pdf;base64,AA==", filename: "a.pdf" } }],
    },
    { role: "assistant" },
    { role: "assistant", content: "" },
    { role: "assistant", content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] },
    { role: "assistant", content: [{ type: "refusal", refusal: "No" }] },
    { role: "assistant", refusal: "No" },
    { role: "assistant", content: "", tool_calls: [FUNCTION_CALL, CUSTOM_CALL] },
    { role: "assistant", tool_calls: [] },
    { role: "assistant", function_call: { name: "f", arguments: "" } },
    { role: "assistant", audio: { id: "audio-1" } },
    { role: "assistant", content: "a", reasoning: "b", reasoning_content: "c" },
    { role: "tool", content: "21 °C", tool_call_id: "call_1" },
    { role: "tool", content: [{ type: "text", text: "21 °C" }], tool_call_id: "", name: "f" },
    { role: "function", name: "f", content: "1" },
    { role: "function", name: "f" },
  ]
) {
  Deno.test(`parseChatMessage() and parseChatRequest() keep ${JSON.stringify(message)} as it is`, () => {
    assertEquals<unknown>(parseChatMessage(message), message);
    assertEquals<unknown>(parseChatRequest({ messages: [message] }).messages, [message]);
  });
}

for (
  const [message, expected] of [
    [{ role: "assistant", content: null }, { role: "assistant" }],
    [{ role: "function", name: "f", content: null }, { role: "function", name: "f" }],
    [{ role: "user", content: "a", name: null, x: null }, { role: "user", content: "a", x: null }],
    [{ role: "system", content: "a", name: null }, { role: "system", content: "a" }],
    [{ role: "developer", content: "a", name: null }, { role: "developer", content: "a" }],
    [{ role: "tool", content: "a", tool_call_id: "1", name: null }, { role: "tool", content: "a", tool_call_id: "1" }],
    [
      {
        role: "assistant",
        content: null,
        refusal: null,
        tool_calls: [FUNCTION_CALL],
        function_call: null,
        audio: null,
        name: null,
        reasoning: null,
        reasoning_content: null,
        annotations: null,
      },
      { role: "assistant", tool_calls: [FUNCTION_CALL], annotations: null },
    ],
    [
      { role: "user", content: [{ type: "image_url", image_url: { url: "u", detail: null, x: null } }] },
      { role: "user", content: [{ type: "image_url", image_url: { url: "u", x: null } }] },
    ],
    [
      { role: "user", content: [{ type: "file", file: { file_data: null, filename: null, file_id: "1" } }] },
      { role: "user", content: [{ type: "file", file: { file_id: "1" } }] },
    ],
    [
      { role: "user", content: [{ type: "image_url", image_url: "https://example.com/a.png" }] },
      { role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] },
    ],
    [{ role: "user", content: "a", name: undefined }, { role: "user", content: "a" }],
  ]
) {
  Deno.test(`parseChatMessage() reads ${JSON.stringify(message)} as ${JSON.stringify(expected)}`, () => {
    const before = structuredClone(message);
    const parsed = parseChatMessage(message);
    assertEquals<unknown>(parsed, expected);
    assertEquals(Object.keys(parsed).sort(), Object.keys(expected ?? {}).sort());
    assertEquals<unknown>(message, before);
  });
}

Deno.test("parseChatMessage() keeps a lone surrogate and a NUL in text", () => {
  const content = "a\ud800\u0000b";
  assertStrictEquals(parseChatMessage({ role: "user", content }).content, content);
});
