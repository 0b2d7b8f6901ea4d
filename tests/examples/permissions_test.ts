/** The permissions in the examples' first lines: with all of them an example works, with one less it does not. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readRecording, type Recording, type Replay, type ReplayedRequest } from "../support/replay.ts";
import { startOllama } from "./_ollama.ts";
import { argsOf, ask, exampleNames, MESSAGES, post, runExample, SAID, startExample, withoutEach } from "./_example.ts";

/** Uses an example that was started with these arguments, and throws if it does not do what it is for. */
type Use = (file: string, ollama: Replay, args: readonly string[]) => Promise<void>;

/** Serves, and answers by the replay if `path` is given. */
function serves(answer: string, path?: string): Use {
  return async (file, ollama, args) => {
    const asked = ollama.requests.length;
    await using example = await startExample(file, ollama, args);
    const { choices: [choice] } = await ask(example.url, { messages: MESSAGES });
    assertStringIncludes(choice?.message.content ?? "", answer);
    if (path !== undefined) assertEquals(ollama.requests.slice(asked).at(-1)?.path, path);
  };
}

const servesOllama = serves(SAID, "/api/chat");

const invokes: Use = async (file, ollama, args) => {
  const asked = ollama.requests.length;
  await using example = await startExample(file, ollama, args);
  const response = await post(example.url, "/invocations", { messages: MESSAGES });
  assertStringIncludes(await response.text(), SAID);
  assert(ollama.requests.length > asked);
};

const runs: Use = async (file, ollama, args) => {
  const asked = ollama.requests.length;
  const { code, stderr } = await runExample(file, ollama, args);
  assertEquals([code, stderr], [0, ""]);
  assert(ollama.requests.length > asked);
};

const USES: { readonly [file: string]: Use } = {
  "01_echo.ts": serves('You said: "Hi"'),
  "02_ollama.ts": runs,
  "03_params.ts": servesOllama,
  "04_custom_inputs.ts": servesOllama,
  "05_tool_loop.ts": servesOllama,
  "06_router.ts": servesOllama,
  "07_rag.ts": servesOllama,
  "08_structured_extraction.ts": runs,
  "09_guardrail.ts": servesOllama,
  "10_conversation_memory.ts": servesOllama,
  "11_evaluation_and_promotion.ts": runs,
  "12_deploy.ts": serves('You said: "Hi"'),
  "13_browser_client.html": serves("You said: Hi"),
  "hello.ts": serves("Hello, world"),
  "ollama_custom_model.ts": invokes,
  "ollama_model_with_metadata.ts": servesOllama,
  "simple_ollama_model.ts": servesOllama,
  "tutorial_1_chat_only.ts": runs,
  "tutorial_2_parameters.ts": runs,
  "tutorial_3_custom_model.ts": runs,
};

/** What answers a request of any example. */
function choose({ body }: ReplayedRequest): Recording {
  const { stream, format, options } = typeof body === "object" && body !== null ? { ...NOTHING, ...body } : NOTHING;
  if (format !== undefined) return readRecording("format_schema", "v0.24");
  if (stream !== true) return readRecording("chat_nonstream", "v0.24");
  const isShort = JSON.stringify(options) === '{"num_predict":5}';
  return readRecording(isShort ? "num_predict_5_stream" : "chat_stream", "v0.24");
}

/** The fields of a request that matter, before it is known whether they are there. */
const NOTHING: { readonly [Field in "stream" | "format" | "options"]: unknown } = {
  stream: undefined,
  format: undefined,
  options: undefined,
};

for (const file of exampleNames()) {
  Deno.test(`examples/${file} works with the permissions of its first line, and with none less`, async () => {
    const use = USES[file];
    assert(use !== undefined, `nothing is known of how "${file}" is used`);
    await using ollama = startOllama(choose);
    const args = argsOf(file);
    await use(file, ollama, args);
    const notNeeded: string[] = [];
    for (const { removed, args: fewer } of withoutEach(args)) {
      const worked = await use(file, ollama, fewer).then(() => true, () => false);
      if (worked) notNeeded.push(removed);
    }
    assertEquals(notNeeded, []);
  });
}

Deno.test("USES knows of no example that is not there", () => {
  assertEquals(Object.keys(USES).sort(), exampleNames());
});
