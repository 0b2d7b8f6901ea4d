/** The examples of the tutorial, and what is said of all of them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../support/command.ts";
import { readRecording, startReplay } from "../support/replay.ts";
import {
  ask,
  assertStops,
  commandOf,
  exampleNames,
  MESSAGES,
  post,
  SAID,
  startExample,
  stream,
  withoutEach,
} from "./_example.ts";

Deno.test("examples/hello.ts answers when it is served as its first line says", async () => {
  await using example = await startExample("hello.ts");
  const response = await ask(example.url, { messages: MESSAGES });
  assertEquals(response.model, "hello");
  assertEquals(response.choices[0]?.message.content, "Hello, world");
  assertEquals((await stream(example.url, { messages: MESSAGES })).text, "Hello, world");
  assertEquals((await ask(example.url, { messages: MESSAGES }, "/invocations")).model, "hello");
  await assertStops(example);
});

for (const version of ["v0.24", "head"] as const) {
  Deno.test(`examples/simple_ollama_model.ts asks Ollama ${version} without options when parameters are given`, async () => {
    await using replay = startReplay([readRecording("chat_stream", version)]);
    await using example = await startExample("simple_ollama_model.ts", replay);
    const request = {
      messages: [{ role: "developer", content: "Be brief" }, ...MESSAGES],
      max_tokens: 25,
      temperature: 0.5,
      custom_inputs: { seed: "321" },
    };

    const response = await ask(example.url, request);
    assertEquals(response.model, "simple_ollama_model");
    assertEquals(response.choices[0]?.message.content, SAID);
    assertEquals(response.choices[0]?.finish_reason, "stop");

    const streamed = await stream(example.url, request);
    assertEquals(streamed.text, SAID);
    assert(streamed.chunks.length > 10, "the answer comes in pieces");

    const invoked = await ask(example.url, request, "/invocations");
    assertEquals(invoked.choices[0]?.message.content, SAID);
    assertEquals((await stream(example.url, request, "/invocations")).text, SAID);

    assertEquals(replay.requests.map(({ path }) => path), Array.from({ length: 4 }, () => "/api/chat"));
    for (const { body } of replay.requests) {
      assertEquals(body, {
        model: "llama3.2:1b",
        messages: [{ role: "system", content: "Be brief" }, { role: "user", content: "Hi" }],
        stream: true,
      });
    }
    await assertStops(example);
  });

  Deno.test(`examples/ollama_model_with_metadata.ts hands parameters and seed on when it asks Ollama ${version}`, async () => {
    await using replay = startReplay([readRecording("num_predict_5_stream", version)]);
    await using example = await startExample("ollama_model_with_metadata.ts", replay);
    const request = {
      messages: MESSAGES,
      max_tokens: 5,
      temperature: 0.5,
      top_p: 0.9,
      stop: "END",
      custom_inputs: { seed: "321" },
    };

    const response = await ask(example.url, request);
    assertEquals(response.model, "ollama_model_with_metadata");
    const [choice] = response.choices;
    assertEquals(choice?.finish_reason, "length");
    assertEquals(response.usage?.completion_tokens, 5);
    const said = choice?.message.content ?? "";
    assert(SAID.startsWith(said) && said !== "", `"${said}" is what was recorded`);

    const streamed = await stream(example.url, request);
    assertEquals([streamed.text, streamed.finishReason], [said, "length"]);
    assertEquals((await ask(example.url, request, "/invocations")).choices[0]?.message.content, said);
    assertEquals((await stream(example.url, request, "/invocations")).text, said);

    assertEquals(replay.requests.length, 4);
    for (const { body } of replay.requests) {
      assertEquals(body, {
        model: "llama3.2:1b",
        messages: MESSAGES,
        options: { num_predict: 5, temperature: 0.5, top_p: 0.9, stop: ["END"], seed: 321 },
        stream: true,
      });
    }

    // What is not set is not sent.
    await ask(example.url, { messages: MESSAGES });
    assertEquals(replay.requests[4]?.body, { model: "llama3.2:1b", messages: MESSAGES, options: {}, stream: true });

    const refused = await post(example.url, "/v1/chat/completions", {
      messages: MESSAGES,
      custom_inputs: { seed: "x" },
    });
    assertEquals(refused.status, 400);
    assertEquals((await refused.json()).error.param, "custom_inputs.seed");
    assertEquals(replay.requests.length, 5);
    await assertStops(example);
  });
}

Deno.test("examples/ollama_model_with_metadata.ts refuses parts when the content is no text", async () => {
  await using replay = startReplay([]);
  await using example = await startExample("ollama_model_with_metadata.ts", replay);
  const content = [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }];
  const refused = await post(example.url, "/v1/chat/completions", {
    messages: [...MESSAGES, { role: "user", content }],
  });
  assertEquals(refused.status, 400);
  assertEquals((await refused.json()).error.param, "messages.1.content");
  assertEquals(replay.requests, []);
});

Deno.test("examples/ollama_custom_model.ts answers at /invocations, and says what is wrong with its input", async () => {
  await using replay = startReplay([readRecording("chat_nonstream", "v0.24")]);
  await using example = await startExample("ollama_custom_model.ts", replay);
  const answered = await post(example.url, "/invocations", { inputs: { messages: MESSAGES } });
  const { predictions } = await answered.json();
  assertEquals(predictions.choices[0].message, { role: "assistant", content: SAID });
  assertEquals(replay.requests[0]?.body, { model: "llama3.2:1b", messages: MESSAGES, options: {}, stream: false });
  for (const [messages, param] of [["Hi", "messages"], [[...MESSAGES, {}], "messages.1"]] as const) {
    const refused = await post(example.url, "/invocations", { inputs: { messages } });
    assertEquals(refused.status, 400);
    assertStringIncludes(await refused.text(), param);
  }
  assertEquals(replay.requests.length, 1);
});

Deno.test("Examples import the package by its name, and nothing that it does not export", () => {
  const { exports, imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const known = new Set([
    ...Object.keys(exports).map((entry) => `@chatmodel/chat-model${entry.slice(1)}`),
    ...Object.keys(imports),
    ...exampleNames().map((name) => `./${name}`),
  ]);
  for (const file of exampleNames()) {
    const text = Deno.readTextFileSync(`${ROOT}examples/${file}`);
    const imported = [...text.matchAll(/\bfrom "([^"]+)"/g)].map(([, name]) => name ?? "");
    assert(imported.length > 0 || file.endsWith(".html"), file);
    assertEquals(imported.filter((name) => !known.has(name)), [], file);
  }
});

Deno.test("examples/README.md names every example with the command of its first line", () => {
  const readme = Deno.readTextFileSync(`${ROOT}examples/README.md`);
  const files = exampleNames();
  assert(files.length >= 18, files.join());
  for (const file of files) {
    assertStringIncludes(readme, `[${file}](${file})`);
    assertStringIncludes(readme, `\`${commandOf(file)}\``);
  }
});

Deno.test("withoutEach() takes one permission away at a time, and one member of a list", () => {
  assertEquals(withoutEach(["run", "--allow-read=.", "--allow-env=A,B", "x.ts", "--flag=1"]), [
    { removed: "--allow-read=.", args: ["run", "--allow-env=A,B", "x.ts", "--flag=1"] },
    { removed: "--allow-env=A", args: ["run", "--allow-read=.", "--allow-env=B", "x.ts", "--flag=1"] },
    { removed: "--allow-env=B", args: ["run", "--allow-read=.", "--allow-env=A", "x.ts", "--flag=1"] },
  ]);
});
