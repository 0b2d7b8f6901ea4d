import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Validator } from "@cfworker/json-schema";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import type { PredictPart } from "../../../streaming/mod.ts";
import { type ChatMessage, ChatModelError, type ChatParams, type JsonSchema } from "../../../types/mod.ts";
import { answer, context, parts, response, user } from "./_demo.ts";

Deno.test("DemoChatModel says what it is and echoes the user's last message", () => {
  const messages: ChatMessage[] = [
    { role: "system", content: "Be brief." },
    ...user("First question of the day"),
    { role: "assistant", content: "Yes." },
    ...user("How is the weather in 北京 today?"),
  ];
  assertEquals(answer(messages), {
    content:
      "This is the demo model of chat-model: it does not think, it echoes. You said: How is the weather in 北京 today?",
    finish_reason: "stop",
    usage: { prompt_tokens: 15, completion_tokens: 22 },
  });
});

Deno.test("DemoChatModel tells how to get a real model when next to nothing is asked", () => {
  for (const messages of [user("Hello!"), user("   "), [{ role: "system", content: "Be brief." } as const]]) {
    assertMatch(String(answer(messages).content), /^This is the demo model .* For a real model install Ollama, /);
  }
  assertMatch(String(answer(user("Hello!")).content), / You said: Hello!$/);
});

Deno.test("DemoChatModel describes what is not text", () => {
  const messages: ChatMessage[] = [{
    role: "user",
    content: [
      { type: "text", text: "What do these show?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      { type: "input_audio", input_audio: { data: "AA==", format: "wav" } },
      { type: "file", file: { filename: "report.pdf" } },
      { type: "file", file: { file_id: "file-1" } },
    ],
  }];
  assertMatch(
    String(answer(messages).content),
    / You said: What do these show\? \[image\] \[audio\] \[file report\.pdf\] \[file file-1\]$/,
  );
});

Deno.test("DemoChatModel streams word by word", () => {
  const stream = parts(user("say it"));
  assertEquals(stream.slice(0, 4), ["This ", "is ", "the ", "demo "]);
  assertEquals(stream.at(-2), "it");
  const { usage, finish_reason } = answer(user("say it"));
  assertEquals<PredictPart | undefined>(stream.at(-1), {
    index: 0,
    finish_reason: finish_reason ?? null,
    usage: usage ?? null,
  });
});

Deno.test("DemoChatModel thinks first when asked to, and counts it", () => {
  for (const params of [{ reasoning_effort: "low" }, { reasoning: { effort: "high" } }]) {
    const { reasoning, content, usage } = answer(user("one two three four"), params);
    const words = String(reasoning).split(" ").length;
    assertEquals(usage?.completion_tokens_details, { reasoning_tokens: words });
    assertEquals(usage?.completion_tokens, words + String(content).split(" ").length);
    const [first] = parts(user("one two three four"), params);
    assert(typeof first === "object" && "reasoning" in first);
  }
  for (const params of [{}, { reasoning_effort: "none" }, { reasoning: { effort: "none" } }, { reasoning: {} }]) {
    assertEquals(answer(user("x"), params).reasoning, undefined);
  }
  const { reasoning, content, finish_reason } = answer(user("x"), {
    reasoning_effort: "low",
    max_completion_tokens: 3,
  });
  assertEquals([String(reasoning).split(" ").length, content, finish_reason], [3, "", "length"]);
});

Deno.test("DemoChatModel gives custom inputs back", () => {
  const custom_inputs = { seed: "321", nested: { a: [null] } };
  assertEquals(answer(user("x"), { custom_inputs }).custom_outputs, { demo: { custom_inputs } });
});

Deno.test("DemoChatModel answers in JSON when asked to", () => {
  const json = (prompt: string, response_format: NonNullable<ChatParams["response_format"]>): unknown =>
    JSON.parse(String(answer(user(prompt), { response_format, seed: 1 }).content));
  assertEquals(json('say "hi"', { type: "json_object" }), { echo: 'say "hi"' });
  assertEquals(json("say it", { type: "json_schema", json_schema: { name: "any" } }), { echo: "say it" });
  const prompt = "Tell me a joke about cats. Return JSON with the following keys: 'setup' and 'punchline'.";
  assertEquals(json(prompt, { type: "json_object" }), { setup: "demo setup", punchline: "demo punchline" });
});

Deno.test("DemoChatModel fills a JSON schema and streams it in fragments", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      setup: { type: "string" },
      punchline: { type: "string" },
      rating: { anyOf: [{ type: "integer", minimum: 1, maximum: 10 }, { type: "null" }], default: null },
    },
    required: ["setup", "punchline"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema" as const, json_schema: { name: "Joke", schema } };
  const { content } = answer(user('A joke: "Why?" - “Because”, 7 points'), { response_format });
  assertEquals(content, '{"setup": "Why?", "punchline": "Because", "rating": 7}');
  assertEquals(parts(user("A joke"), { response_format }).slice(0, 3), ['{"setup": ', '"demo ', 'setup", ']);
  for (const { message } of response(user("A joke"), { response_format, n: 2 }).choices) {
    assertEquals(new Validator(schema).validate(JSON.parse(String(message.content))).valid, true);
  }
  const cut = answer(user("A joke"), { response_format, max_tokens: 2 });
  assertEquals([cut.content, cut.finish_reason], ['{"setup": "demo', "length"]);
});

Deno.test("DemoChatModel with a delay answers the same, later", async () => {
  const slow = new DemoChatModel({ delay: 0.1 });
  const stream: PredictPart[] = [];
  for await (const part of slow.predictStream(context, user("x"), {})) stream.push(part);
  assertEquals(stream, parts(user("x")));
  assertEquals(await slow.predict(context, user("x"), {}), answer(user("x")));
});

Deno.test("DemoChatModel with a delay rethrows the signal's reason and leaves no timer", async () => {
  const slow = new DemoChatModel({ delay: 60_000 });
  const reason = new Error("left");
  const controller = new AbortController();
  const aborting = { ...context, signal: controller.signal };
  const stream = slow.predictStream(aborting, user("x"), {});
  assert(Symbol.asyncIterator in stream);
  const first = stream[Symbol.asyncIterator]().next();
  const whole = Promise.resolve(slow.predict(aborting, user("x"), {}));
  controller.abort(reason);
  assertEquals(await assertRejects(() => first), reason);
  assertEquals(await assertRejects(() => whole), reason);
  assertEquals(await assertRejects(() => Promise.resolve(slow.predict(aborting, user("x"), {}))), reason);
});

Deno.test("DemoChatModel refuses delays out of range", () => {
  for (const delay of [-1, NaN, Infinity, 2 ** 31]) {
    const error = assertThrows(() => new DemoChatModel({ delay }), ChatModelError, `current value is ${delay}`);
    assertEquals(error.code, "invalid_option");
  }
});
