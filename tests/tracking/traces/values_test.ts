import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { translateAttributes } from "../../../tracking/_span_translation.ts";
import { dumpAsciiJson, dumpJson, parseWithTimes } from "../../../tracking/_trace_json.ts";
import { previewOf } from "../../../tracking/_trace_preview.ts";
import { parseAttribute } from "../../../tracking/_trace_spans.ts";
import { sumTokens } from "../../../tracking/_trace_usage.ts";

Deno.test("dumpJson() writes as Python does, whatever the value", () => {
  assertEquals(
    dumpJson({ a: [1, { b: "x, y: z\n" }], c: {}, d: [] }),
    '{"a": [1, {"b": "x, y: z\\n"}], "c": {}, "d": []}',
  );
  assertEquals(dumpAsciiJson("é😀"), '"\\u00e9\\ud83d\\ude00"');
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const plain: unknown = JSON.parse(JSON.stringify(value));
    for (const text of [dumpJson(value), dumpAsciiJson(value)]) {
      assertEquals(JSON.parse(text ?? ""), plain);
      assertEquals(text?.includes("\n"), false);
    }
  }));
});

Deno.test("parseWithTimes() keeps times exact, and text as it is", () => {
  const inner = '{"start_time_unix_nano": 1795423840813081284}';
  const text = `{"start_time_unix_nano": 1795423840813081284, "text": ${JSON.stringify(inner)}, "time_unix_nano":null}`;
  assertEquals(parseWithTimes(text), {
    start_time_unix_nano: "1795423840813081284",
    text: inner,
    time_unix_nano: null,
  });
});

Deno.test("parseAttribute() reads what Python writes for numbers that JSON has not", () => {
  assertEquals(["NaN", "-Infinity", "5", '"5"', "no JSON"].map(parseAttribute), [NaN, -Infinity, 5, "5", "no JSON"]);
});

Deno.test("previewOf() shows the message that MLflow shows", () => {
  const user = { role: "user", content: "question" };
  const assistant = { role: "assistant", content: "answer" };
  const parts = { role: "user", content: [{ type: "image_url" }, { type: "text", text: "look" }] };
  const cases: readonly (readonly [value: unknown, role: "user" | "assistant", preview: string])[] = [
    [{ messages: [user, assistant] }, "user", "question"],
    [{ messages: [user, assistant] }, "assistant", "answer"],
    [{ messages: [user] }, "assistant", "question"],
    [{ messages: [parts] }, "user", "look"],
    [{ choices: [{ message: assistant }] }, "assistant", "answer"],
    [{ input: [user] }, "user", "question"],
    [{ output: [assistant] }, "assistant", "answer"],
    [{ request: { messages: [user] } }, "user", "question"],
    [{ messages: [{ role: "assistant", content: null, tool_calls: [] }] }, "assistant", ""],
    [{ x: 1 }, "user", '{"x":1}'],
    ["text", "user", '"text"'],
    ["x".repeat(2000), "user", `"${"x".repeat(996)}...`],
    ["😀".repeat(999), "user", `"${"😀".repeat(996)}...`],
    ["😀".repeat(998), "user", `"${"😀".repeat(998)}"`],
  ];
  for (const [value, role, preview] of cases) {
    const text = JSON.stringify(value);
    assertEquals(previewOf(text, role), preview || text);
  }
});

Deno.test("sumTokens() counts what a span says once, not again what is below it", () => {
  const usage = (input: number) => ({ input_tokens: input, output_tokens: 1, total_tokens: input + 1 });
  const node = (spanId: string, parentId?: string, input?: number) => ({
    spanId,
    parentId,
    usage: input === undefined ? undefined : usage(input),
  });
  assertEquals(sumTokens([node("a"), node("b", "a")]), undefined);
  assertEquals(sumTokens([node("a"), node("b", "a", 2), node("c", "a", 3)]), {
    input_tokens: 5,
    output_tokens: 2,
    total_tokens: 7,
  });
  const rolledUp = [node("c", "b", 3), node("b", "a"), node("a", undefined, 10), node("d", "missing", 1)];
  assertEquals(sumTokens(rolledUp), { input_tokens: 11, output_tokens: 2, total_tokens: 13 });
  // Each below the other: no one is above them.
  assertEquals(sumTokens([node("a", "b", 1), node("b", "a")])?.input_tokens, 1);
  const deep = Array.from({ length: 20_000 }, (_, i) => node(String(i), String(i - 1), i === 0 ? 7 : undefined));
  assertEquals(sumTokens([...deep, node("last", "19999", 5)])?.input_tokens, 7);
});

Deno.test("translateAttributes() adds what is missing, and leaves what is there", () => {
  const translated = translateAttributes({
    "gen_ai.operation.name": '"execute_tool"',
    "gen_ai.tool.call.arguments": '{"q": 1}',
    "gen_ai.tool.call.result": '"r"',
    "gen_ai.response.model": '"m2"',
    "gen_ai.request.model": '"m1"',
    "gen_ai.provider.name": '"ollama"',
    "gen_ai.usage.input_tokens": '"26"',
    "mlflow.spanOutputs": '"kept"',
  });
  assertEquals(translated["mlflow.spanType"], '"TOOL"');
  assertEquals(translated["mlflow.spanInputs"], '{"q": 1}');
  assertEquals(translated["mlflow.spanOutputs"], '"kept"');
  assertEquals(translated["mlflow.llm.model"], '"m2"');
  assertEquals(translated["mlflow.llm.provider"], '"ollama"');
  assertEquals(translated["mlflow.chat.tokenUsage"], '{"input_tokens": 26}');
  assertEquals(translateAttributes({ "mlflow.spanType": '"AGENT"', "gen_ai.operation.name": '"chat"' }), {
    "mlflow.spanType": '"AGENT"',
    "gen_ai.operation.name": '"chat"',
  });
  assertStringIncludes(
    translateAttributes({ "gen_ai.operation.name": '"constructor"' })["mlflow.spanType"] ?? "none",
    "none",
  );
});
