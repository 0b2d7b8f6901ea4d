/** The tutorial's scripts, as their first lines say, in an empty folder and against a replayed Ollama. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "../support/command.ts";
import { readRecording, type Replay, startReplay } from "../support/replay.ts";

const MESSAGES = [{ role: "user", content: "What is MLflow?" }];

/** Runs a script, and gives what it printed. */
async function run(name: string, replay: Replay): Promise<string> {
  const [first = ""] = (await Deno.readTextFile(join(ROOT, "examples", name))).split("\n");
  const args = first.slice("// deno ".length).split(" ");
  assertEquals(args.pop(), `examples/${name}`);
  const cwd = await Deno.makeTempDir({ prefix: "tutorial-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, "--no-prompt", "--config", join(ROOT, "deno.json"), join(ROOT, "examples", name)],
      cwd,
      env: { NO_COLOR: "1", OLLAMA_HOST: replay.url, MLFLOW_TRACKING_URI: "" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assert((await Deno.stat(join(cwd, "mlflow.db"))).isFile);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
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
  assertEquals(jsonIn(text).choices[0].message.content, "Hello from a scripted model. How can I help you today?");
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
