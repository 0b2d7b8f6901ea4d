import { assertEquals, assertThrows } from "@std/assert";
import { type ChatMessage, ValidationError } from "../../../types/mod.ts";
import { convertMessages } from "../../../adapters/ollama/convert_messages.ts";
import { RequestIssues } from "../../../adapters/ollama/_request_issues.ts";
import type { OllamaMessage } from "../../../adapters/ollama/wire.ts";

/** A PNG of one pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PNG_URL = `data:image/png;base64,${PNG}`;

function convert(messages: readonly ChatMessage[], allowedImageHosts: readonly string[] = []) {
  const issues = new RequestIssues();
  const converted = convertMessages(messages, issues, { allowedImageHosts });
  issues.throwIfAny();
  return converted;
}

interface Case {
  readonly name: string;
  readonly messages: readonly ChatMessage[];
  readonly expected: readonly OllamaMessage[];
  readonly ignored?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "texts of all roles stay as they are",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "" },
      { role: "assistant", content: "Hello" },
    ],
    expected: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "" },
      { role: "assistant", content: "Hello" },
    ],
  },
  {
    name: "developer becomes system",
    messages: [{ role: "developer", content: [{ type: "text", text: "Be" }, { type: "text", text: "brief." }] }],
    expected: [{ role: "system", content: "Be\nbrief." }],
  },
  {
    name: "parts become one message with its images in order",
    messages: [{
      role: "user",
      content: [
        { type: "text", text: "First" },
        { type: "image_url", image_url: { url: PNG_URL } },
        { type: "text", text: "" },
        { type: "text", text: "Second" },
        { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      ],
    }],
    expected: [{ role: "user", content: "First\nSecond", images: [PNG, "UklGRg=="] }],
  },
  {
    name: "an image alone has an empty text",
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: PNG_URL, detail: "low" } }] }],
    expected: [{ role: "user", content: "", images: [PNG] }],
    ignored: ["messages.0.content.0.image_url.detail"],
  },
  {
    name: "arguments become objects, nothing becomes an empty one",
    messages: [
      {
        role: "assistant",
        tool_calls: [
          { id: "a", type: "function", function: { name: "f", arguments: '{"city":"Paris","deep":{"n":[1]}}' } },
          { id: "b", type: "function", function: { name: "g", arguments: " " } },
        ],
      },
    ],
    expected: [{
      role: "assistant",
      content: "",
      tool_calls: [
        { id: "a", function: { name: "f", arguments: { city: "Paris", deep: { n: [1] } } } },
        { id: "b", function: { name: "g", arguments: {} } },
      ],
    }],
  },
  {
    name: "a tool's name is looked up backwards, one that is given wins",
    messages: [
      { role: "assistant", tool_calls: [{ id: "a", type: "function", function: { name: "old", arguments: "{}" } }] },
      { role: "assistant", tool_calls: [{ id: "a", type: "function", function: { name: "new", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "a", content: [{ type: "text", text: "1" }, { type: "text", text: "2" }] },
      { role: "tool", tool_call_id: "a", name: "own", content: "3" },
      { role: "tool", tool_call_id: "unknown", content: "4" },
    ],
    expected: [
      { role: "assistant", content: "", tool_calls: [{ id: "a", function: { name: "old", arguments: {} } }] },
      { role: "assistant", content: "", tool_calls: [{ id: "a", function: { name: "new", arguments: {} } }] },
      { role: "tool", content: "1\n2", tool_name: "new", tool_call_id: "a" },
      { role: "tool", content: "3", tool_name: "own", tool_call_id: "a" },
      { role: "tool", content: "4", tool_call_id: "unknown" },
    ],
  },
  {
    name: "the deprecated form becomes calls and tool messages",
    messages: [
      { role: "assistant", function_call: { name: "f", arguments: '{"a":1}' } },
      { role: "function", name: "f", content: "2" },
      { role: "function", name: "f" },
    ],
    expected: [
      { role: "assistant", content: "", tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }] },
      { role: "tool", content: "2", tool_name: "f" },
      { role: "tool", content: "", tool_name: "f" },
    ],
  },
  {
    name: "reasoning becomes thinking, of two names the first",
    messages: [
      { role: "assistant", content: "a", reasoning: "r", reasoning_content: "other" },
      { role: "assistant", content: "b", reasoning_content: "c" },
      { role: "assistant", content: "d", reasoning: "" },
    ],
    expected: [
      { role: "assistant", content: "a", thinking: "r" },
      { role: "assistant", content: "b", thinking: "c" },
      { role: "assistant", content: "d" },
    ],
  },
  {
    name: "refusals become text",
    messages: [
      { role: "assistant", refusal: "No." },
      { role: "assistant", content: [{ type: "text", text: "Well" }, { type: "refusal", refusal: "no." }] },
    ],
    expected: [{ role: "assistant", content: "No." }, { role: "assistant", content: "Well\nno." }],
  },
  {
    name: "names of speakers and spoken answers have no place",
    messages: [
      { role: "user", content: "Hi", name: "Ada" },
      { role: "assistant", audio: { id: "audio_1" } },
    ],
    expected: [{ role: "user", content: "Hi" }, { role: "assistant", content: "" }],
    ignored: ["messages.0.name", "messages.1.audio"],
  },
];

for (const { name, messages, expected, ignored = [] } of CASES) {
  Deno.test(`convertMessages() does its work: ${name}`, () => {
    const converted = convert(messages);
    assertEquals(converted.messages, expected);
    assertEquals(converted.ignored, ignored);
  });
}

Deno.test("convertMessages() tells where the first image and sound are", () => {
  const converted = convert([
    { role: "user", content: "Hi" },
    {
      role: "user",
      content: [
        { type: "input_audio", input_audio: { data: "UklGRg", format: "wav" } },
        { type: "image_url", image_url: { url: PNG_URL } },
        { type: "image_url", image_url: { url: PNG_URL } },
      ],
    },
  ]);
  assertEquals(converted.audioPath, "messages.1.content.0");
  assertEquals(converted.imagePath, "messages.1.content.1");
});

Deno.test("convertMessages() leaves a place for an image to be fetched from an allowed host", () => {
  const url = "https://images.example.com:8443/a.png?x=1";
  const content = [
    { type: "image_url", image_url: { url: PNG_URL } },
    { type: "image_url", image_url: { url } },
  ] as const;
  const { messages, pendingImages } = convert([{ role: "user", content }], ["IMAGES.example.com"]);
  assertEquals(messages, [{ role: "user", content: "", images: [PNG, ""] }]);
  assertEquals(pendingImages, [{
    url: new URL(url),
    path: "messages.0.content.1.image_url.url",
    message: 0,
    image: 1,
  }]);
});

Deno.test("convertMessages() reports all that Ollama cannot take, each with its path", () => {
  const error = assertThrows(
    () =>
      convert([
        {
          role: "user",
          content: [
            { type: "file", file: { file_id: "file-1" } },
            { type: "image_url", image_url: { url: "https://example.com/a.png" } },
            { type: "image_url", image_url: { url: "data:image/png;base64,aGVsbG8=" } },
            { type: "image_url", image_url: { url: "nonsense" } },
            { type: "input_audio", input_audio: { data: "!", format: "mp3" } },
          ],
        },
        {
          role: "assistant",
          tool_calls: [
            { id: "a", type: "function", function: { name: "f", arguments: '{"secret' } },
            { id: "b", type: "function", function: { name: "f", arguments: "[]" } },
            { id: "c", type: "custom", custom: { name: "c", input: "x" } },
          ],
        },
      ], ["other.example.com"]),
    ValidationError,
  );
  assertEquals(error.issues.map(({ path }) => path), [
    "messages.0.content.0",
    "messages.0.content.1.image_url.url",
    "messages.0.content.2.image_url.url",
    "messages.0.content.3.image_url.url",
    "messages.0.content.4.input_audio.data",
    "messages.1.tool_calls.0.function.arguments",
    "messages.1.tool_calls.1.function.arguments",
    "messages.1.tool_calls.2.type",
  ]);
  assertEquals(error.status, 400);
  assertEquals(error.param, "messages.0.content.0");
  assertEquals(error.message.includes("secret"), false);
});

Deno.test("convertMessages() refuses an empty conversation, which would only load the model", () => {
  assertEquals(assertThrows(() => convert([]), ValidationError).param, "messages");
});
