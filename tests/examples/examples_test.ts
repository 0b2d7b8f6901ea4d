/** Every example runs as its first line says, with no more permissions than stand there. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeSse } from "../../streaming/mod.ts";
import { parseChatChunk, parseChatResponse } from "../../types/mod.ts";
import { ROOT, type ServingCommand, startServing } from "../support/command.ts";
import { readRecording, type Replay, startReplay } from "../support/replay.ts";

const SAID = "Hello from a scripted model. How can I help you today?";
const MESSAGES = [{ role: "user", content: "Hi" }];

/** What the first line says to run, at any free port. */
function commandOf(file: string): string[] {
  const [first = ""] = Deno.readTextFileSync(`${ROOT}examples/${file}`).split("\n");
  assert(first.startsWith("// deno "), `"${first}" must be a command of Deno`);
  const [command = "", ...args] = first.slice("// deno ".length).split(" ").filter((arg) => !arg.startsWith("--port"));
  return command === "serve"
    ? [command, "--no-prompt", "--port=0", ...args]
    : [command, "--no-prompt", ...args, "--port=0"];
}

function startExample(file: string, replay?: Replay): Promise<ServingCommand> {
  return startServing(commandOf(file), replay === undefined ? {} : { OLLAMA_HOST: replay.url });
}

function post(url: string, path: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function ask(url: string, body: { readonly [field: string]: unknown }, path = "/v1/chat/completions") {
  const response = await post(url, path, body);
  const text = await response.text();
  assertEquals(response.status, 200, text);
  return parseChatResponse(JSON.parse(text));
}

async function stream(url: string, body: { readonly [field: string]: unknown }, path = "/v1/chat/completions") {
  const response = await post(url, path, { ...body, stream: true });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assert(response.body !== null);
  const data: string[] = [];
  for await (const batch of decodeSse(response.body)) data.push(...batch.map((event) => event.data));
  assertEquals(data.pop(), "[DONE]");
  const chunks = data.map((text) => parseChatChunk(JSON.parse(text)));
  return {
    chunks,
    text: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
    finishReason: chunks.findLast((chunk) => chunk.choices.length > 0)?.choices[0]?.finish_reason,
  };
}

async function assertStops(example: ServingCommand): Promise<void> {
  const { status, stderr } = await example.stop("SIGTERM");
  assertEquals({ code: status.code, signal: status.signal, stderr }, { code: 0, signal: null, stderr: "" });
}

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

Deno.test("examples/deploy.ts answers when it runs under deno serve", async () => {
  await using example = await startExample("deploy.ts");
  const models = await (await fetch(`${example.url}/v1/models`)).json();
  assertEquals(models.data.map(({ id }: { id: string }) => id), ["hello", "demo"]);
  assertEquals((await ask(example.url, { messages: MESSAGES })).choices[0]?.message.content, "Hello, world");
  const streamed = await stream(example.url, { model: "demo", messages: MESSAGES });
  assertStringIncludes(streamed.text, "You said: Hi");
  assert(streamed.chunks.length > 5, "the answer comes in pieces");
  const unknown = await post(example.url, "/v1/chat/completions", { model: "other", messages: MESSAGES });
  assertEquals(unknown.status, 404);
  assertEquals((await unknown.json()).error.code, "model_not_found");
});

Deno.test("examples/README.md names every example with the command of its first line", () => {
  const readme = Deno.readTextFileSync(`${ROOT}examples/README.md`);
  const files = [...Deno.readDirSync(`${ROOT}examples`)].map(({ name }) => name).filter((name) => name.endsWith(".ts"));
  assert(files.length >= 4);
  for (const file of files) {
    const [first = ""] = Deno.readTextFileSync(`${ROOT}examples/${file}`).split("\n");
    assertMatch(first, /^\/\/ deno (run|serve) --/);
    assertStringIncludes(readme, `\`${first.slice(3)}\``);
  }
});
