import { assertEquals } from "@std/assert";
import { estimateTokens } from "../../../serving/limits/mod.ts";
import { formatDuration } from "../../../serving/limits/_format.ts";
import { parseChatRequest } from "../../../types/mod.ts";

/** The estimate of a request, with no more tokens for an answer than it asks for. */
function estimate(request: { readonly [field: string]: unknown }): number {
  return estimateTokens(parseChatRequest(request), { defaultAnswerTokens: 0 });
}

function user(content: unknown): { readonly messages: readonly unknown[] } {
  return { messages: [{ role: "user", content }] };
}

Deno.test("estimateTokens() counts a token for each four characters, rounded up, and four for each message", () => {
  assertEquals(estimate(user("")), 4);
  assertEquals(estimate(user("a".repeat(400))), 104);
  assertEquals(estimate(user("abcde")), 6);
  const messages = [{ role: "system", content: "ab" }, { role: "user", content: "cd", name: "ef" }];
  assertEquals(estimate({ messages }), 10);
});

Deno.test("estimateTokens() counts a token for each character that is not ASCII", () => {
  assertEquals(estimate(user("こんにちは世界")), 11);
  assertEquals(estimate(user("🎉")), 6);
  assertEquals(estimate(user("abcd世界")), 7);
});

Deno.test("estimateTokens() counts the answers that the request allows", () => {
  const { messages } = user("");
  assertEquals(estimate({ messages, max_tokens: 100 }), 104);
  assertEquals(estimate({ messages, max_tokens: 100, max_completion_tokens: 50 }), 54);
  assertEquals(estimate({ messages, max_tokens: 100, n: 3 }), 304);
  assertEquals(estimateTokens(parseChatRequest({ messages })), 516);
  assertEquals(estimateTokens(parseChatRequest({ messages, n: 2 }), { defaultAnswerTokens: 7 }), 18);
});

Deno.test("estimateTokens() counts tools, schemas and what the model said earlier", () => {
  const { messages } = user("");
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  assertEquals(estimate({ messages, tools }), 4 + Math.ceil(JSON.stringify(tools).length / 4));
  const response_format = { type: "json_object" };
  assertEquals(estimate({ messages, response_format }), 4 + Math.ceil(JSON.stringify(response_format).length / 4));
  const call = { id: "c", type: "function", function: { name: "abcd", arguments: "{}{}" } };
  const custom = { id: "d", type: "custom", custom: { name: "abcd", input: "efgh" } };
  const said = [
    { role: "user", content: "" },
    { role: "assistant", tool_calls: [call, custom], reasoning: "abcd", refusal: "abcd" },
    { role: "tool", tool_call_id: "c", content: [{ type: "text", text: "abcd" }] },
    { role: "tool", tool_call_id: "d", content: "" },
  ];
  assertEquals(estimate({ messages: said }), 4 * 4 + 4 + 2 + 1);
});

Deno.test("estimateTokens() counts images the same whatever their bytes, sound and files by their size", () => {
  const url = `data:image/png;base64,${"A".repeat(100_000)}`;
  assertEquals(estimate(user([{ type: "image_url", image_url: { url } }])), 1004);
  const data = "A".repeat(50_000);
  assertEquals(estimate(user([{ type: "input_audio", input_audio: { data, format: "wav" } }])), 54);
  const file_data = "A".repeat(1600);
  assertEquals(estimate(user([{ type: "file", file: { file_data, filename: "a.pdf" } }])), 104);
});

Deno.test("formatDuration() writes times as OpenAI does", () => {
  const cases = [
    [0, "0s"],
    [0.2, "1ms"],
    [12, "12ms"],
    [999.1, "1s"],
    [1000, "1s"],
    [1500, "1.5s"],
    [59_999, "59.999s"],
    [60_000, "1m0s"],
    [72_500, "1m12.5s"],
    [360_000, "6m0s"],
    [3_600_000, "1h0m0s"],
  ] as const;
  for (const [milliseconds, text] of cases) assertEquals(formatDuration(milliseconds), text);
});
