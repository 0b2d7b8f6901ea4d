/** The examples that are scripts, as their first lines say and against a replayed Ollama. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readRecording, type Replay, type ReplayedRequest, startReplay } from "../support/replay.ts";
import { runExample, SAID } from "./_example.ts";
import { startOllama } from "./_ollama.ts";

const MESSAGES = [{ role: "user", content: "What is MLflow?" }];

/** Runs a script, and gives what it printed. */
async function run(name: string, replay: Replay): Promise<string> {
  const { code, stdout, stderr, files } = await runExample(name, replay);
  assertEquals(code, 0, stderr);
  assertEquals(files, /^(?:11|tutorial)_/.test(name) ? ["mlflow.db", "mlruns"] : []);
  return stdout;
}

/** The JSON that stands among what was printed. */
// deno-lint-ignore no-explicit-any -- what the tests look into
function jsonIn(text: string): any {
  return JSON.parse(text.slice(text.indexOf("\n{\n") + 1, text.lastIndexOf("\n}") + 2));
}

Deno.test("examples/tutorial_1_chat_only.ts logs and asks a model that hands no parameters on", async () => {
  await using replay = startReplay([readRecording("chat_stream", "v0.24")]);
  const text = await run("tutorial_1_chat_only.ts", replay);
  assertMatch(text, /^Logged models:\/m-[0-9a-f]{32}$/m);
  assertEquals(jsonIn(text).choices[0].message.content, SAID);
  assertEquals(replay.requests.map(({ body }) => body), [{ model: "llama3.2:1b", messages: MESSAGES, stream: true }]);
});

Deno.test("examples/tutorial_2_parameters.ts: from version 2 on, max_tokens and seed reach Ollama", async () => {
  await using replay = startReplay([readRecording("num_predict_5_stream", "v0.24")]);
  const text = await run("tutorial_2_parameters.ts", replay);
  assertMatch(text, /^Logged models:\/m-[0-9a-f]{32}$/m);
  assertEquals(jsonIn(text).choices[0].finish_reason, "length");
  const body = { model: "llama3.2:1b", messages: MESSAGES, options: { num_predict: 25, seed: 321 }, stream: true };
  assertEquals(replay.requests.map(({ body }) => body), [body, body]);
});

Deno.test("examples/tutorial_3_custom_model.ts fills params up from the example", async () => {
  await using replay = startReplay([readRecording("chat_nonstream", "v0.24")]);
  const text = await run("tutorial_3_custom_model.ts", replay);
  assertStringIncludes(
    text,
    '[{"name": "max_tokens", "default": 25, "shape": null, "type": "long"}, ' +
      '{"name": "temperature", "default": 0.5, "shape": null, "type": "double"}, ' +
      '{"name": "top_p", "default": 0.5, "shape": null, "type": "double"}, ' +
      '{"name": "stop", "default": ["\\n"], "shape": [-1], "type": "string"}, ' +
      '{"name": "seed", "default": 123, "shape": null, "type": "long"}]',
  );
  assertEquals(jsonIn(text).choices[0].message.role, "assistant");
  assertEquals(replay.requests.map(({ body }) => body), [{
    model: "llama3.2:1b",
    messages: MESSAGES,
    options: { temperature: 0.5, top_p: 0.5, stop: ["\n"], seed: 123, num_predict: 30 },
    stream: false,
  }]);
});

Deno.test("examples/02_ollama.ts prints the answer as it comes, and how many tokens it took", async () => {
  await using replay = startReplay([readRecording("chat_stream", "v0.24")]);
  assertEquals(await run("02_ollama.ts", replay), `${SAID}\n(21 tokens)\n`);
  const messages = [{ role: "user", content: "Why is the sky blue?" }];
  assertEquals(replay.requests.map(({ body }) => body), [{
    model: "llama3.2:1b",
    messages,
    stream: true,
    truncate: false,
  }]);
});

for (const file of ["02_ollama.ts", "08_structured_extraction.ts"]) {
  Deno.test(`examples/${file} says what to do when Ollama lacks the model`, async () => {
    await using replay = startReplay([
      readRecording(file === "02_ollama.ts" ? "model_not_found_stream" : "model_not_found", "v0.24"),
    ]);
    const { code, stderr } = await runExample(file, replay);
    assertEquals(code, 1);
    assertMatch(stderr, /^Cannot find model "llama3\.2:1b":.*Get it with 'ollama pull llama3\.2:1b'\n$/);
  });
}

Deno.test("examples/08_structured_extraction.ts has its schema followed, and tries again when it was not", async () => {
  const [wrong, right] = ["format_schema_mismatch", "format_schema"].map((name) => readRecording(name, "v0.24"));
  assert(wrong !== undefined && right !== undefined);
  await using replay = startReplay([wrong, right]);
  assertEquals(await run("08_structured_extraction.ts", replay), "Paris: 21 °C, sunny, dry\n");
  assertEquals(replay.requests.length, 2);
  const { body } = replay.requests[0] ?? {};
  assert(body instanceof Object && "format" in body);
  assertEquals(body.format, {
    type: "object",
    properties: {
      city: { type: "string" },
      temp_c: { type: "integer" },
      tags: { type: "array", items: { type: "string" } },
    },
    required: ["city", "temp_c", "tags"],
  });
});

Deno.test("examples/08_structured_extraction.ts says why when the answer was cut", async () => {
  await using replay = startReplay([readRecording("format_schema_truncated", "v0.24")]);
  const { code, stdout, stderr } = await runExample("08_structured_extraction.ts", replay);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr, 'Cannot extract: the answer ended by "length". Allow more tokens\n');
  assertEquals(replay.requests.length, 1);
});

/** Whether a request has the limit of `examples/questions.jsonl`. */
function isLimited({ body }: ReplayedRequest): boolean {
  return JSON.stringify(body).includes('"options":{"num_predict":5}');
}

Deno.test("examples/11_evaluation_and_promotion.ts makes the better version the champion", async () => {
  const [long, short] = ["chat_stream", "num_predict_5_stream"].map((name) => readRecording(name, "v0.24"));
  assert(long !== undefined && short !== undefined);
  await using ollama = startOllama((request) => isLimited(request) ? short : long);
  const text = await run("11_evaluation_and_promotion.ts", ollama);
  assertEquals(text.split("\n"), [
    "within_limit >= 0.9: within_limit/mean is 1, as it must be >= 0.9",
    "within_limit >= baseline: within_limit/mean is 1, as it must be >= 0",
    "rows_failed == 0: rows/failed is 0, as it must be == 0",
    "Version 2 is the champion now",
    "",
  ]);
  assertEquals(ollama.requests.map(isLimited), [...Array(4).fill(false), ...Array(4).fill(true)]);
});

Deno.test("examples/11_evaluation_and_promotion.ts leaves the champion as it is when the other is no better", async () => {
  await using replay = startReplay([readRecording("chat_stream", "v0.24")]);
  const { code, stdout, stderr } = await runExample("11_evaluation_and_promotion.ts", replay);
  assertEquals([code, stderr], [1, ""]);
  assertStringIncludes(stdout, "within_limit/mean is 0, but it must be >= 0.9");
  assertStringIncludes(stdout, "Version 1 stays the champion\n");
});
