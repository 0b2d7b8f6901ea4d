/** The numbered examples that serve a model. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readRecording, startReplay } from "../support/replay.ts";
import { startOllama } from "./_ollama.ts";
import { ask, assertStops, MESSAGES, refused, SAID, startExample, stream } from "./_example.ts";

const HELLO = readRecording("chat_stream", "v0.24");

Deno.test("examples/01_echo.ts says what it was told, whatever that is", async () => {
  await using example = await startExample("01_echo.ts");
  const { model, choices: [choice] } = await ask(example.url, { messages: MESSAGES });
  assertEquals([model, choice?.message.content], ["01_echo", 'You said: "Hi"']);
  const content = [{ type: "text", text: "Hi" }];
  const { text } = await stream(example.url, { messages: [{ role: "user", content }] });
  assertEquals(text, `You said: ${JSON.stringify(content)}`);
  await assertStops(example);
});

Deno.test("examples/03_params.ts has defaults, lets callers override them, and refuses what is too much", async () => {
  await using replay = startReplay([HELLO]);
  await using example = await startExample("03_params.ts", replay);
  assertEquals((await ask(example.url, { messages: MESSAGES })).choices[0]?.message.content, SAID);
  await stream(example.url, { messages: MESSAGES, temperature: 1, max_tokens: 7, seed: 3 });
  assertEquals(replay.requests.map(({ body }) => body instanceof Object && "options" in body && body.options), [
    { temperature: 0.2, num_predict: 1000 },
    { temperature: 1, num_predict: 7, seed: 3 },
  ]);
  for (const param of ["max_tokens", "max_completion_tokens"]) {
    const { status, error } = await refused(example.url, { messages: MESSAGES, [param]: 1001 });
    assertEquals([status, error.param], [400, param]);
    assertStringIncludes(error.message, "must be at most 1000, but is 1001");
  }
  assertEquals(replay.requests.length, 2);
  await assertStops(example);
});

Deno.test("examples/04_custom_inputs.ts reads a language from custom inputs, and tells of it in custom outputs", async () => {
  await using replay = startReplay([HELLO]);
  await using example = await startExample("04_custom_inputs.ts", replay);
  const french = await ask(example.url, { messages: MESSAGES, custom_inputs: { language: "fr" } });
  assertEquals(french.choices[0]?.message.content, SAID);
  assertEquals(french.custom_outputs?.language, "fr");
  assertEquals((await stream(example.url, { messages: MESSAGES })).customOutputs?.language, "en");
  assertEquals(
    replay.requests.map(({ body }) => body instanceof Object && "messages" in body && body.messages),
    ["French", "English"].map((name) => [{ role: "system", content: `Answer in ${name}.` }, ...MESSAGES]),
  );
  const { status, error } = await refused(example.url, {
    messages: MESSAGES,
    custom_inputs: { language: 7, tone: "x" },
  });
  assertEquals([status, error.param], [400, "custom_inputs.language"]);
  assertStringIncludes(error.message, '"custom_inputs.tone": is not known');
  await assertStops(example);
});

Deno.test("examples/05_tool_loop.ts runs the tool that the model asks for, and streams the answer", async () => {
  const rounds = ["tools_one_stream", "tools_result_stream"].map((name) => readRecording(name, "v0.24"));
  await using replay = startReplay(rounds);
  await using example = await startExample("05_tool_loop.ts", replay);
  const answer = await stream(example.url, { messages: MESSAGES });
  assertEquals(answer.text, "It is 21 degrees and sunny in Paris.");
  assertEquals(answer.reasoning, "get_weather: 21 degrees Celsius in Paris\n");
  assertEquals(answer.finishReason, "stop");
  assert(answer.chunks.length > 5, "the answer comes in pieces");
  const [first, second] = replay.requests.map(({ body }) => body instanceof Object ? JSON.stringify(body) : "");
  assertStringIncludes(first ?? "", '"name":"get_weather"');
  assertStringIncludes(second ?? "", '"role":"tool","content":"21 degrees Celsius in Paris"');
  assertEquals(replay.requests.length, 2);
  await assertStops(example);
});

Deno.test("examples/05_tool_loop.ts gives up when the model calls tools for ever, and tells it what it cannot call", async () => {
  await using replay = startReplay([readRecording("tools_two_stream", "v0.24")]);
  await using example = await startExample("05_tool_loop.ts", replay);
  const { status, error } = await refused(example.url, { messages: MESSAGES });
  assertEquals(status, 500);
  assertStringIncludes(error.message, "still calls tools after 5 rounds");
  assertEquals(replay.requests.length, 5);
  const second = JSON.stringify(replay.requests[1]?.body);
  assertStringIncludes(second, "Error: the city must be one of Paris, Oslo, Cairo");
  assertStringIncludes(second, "Error: there is no such tool");

  const tools = [{ type: "function", function: { name: "other" } }];
  const own = await refused(example.url, { messages: MESSAGES, tools, n: 2 });
  assertEquals([own.status, own.error.param], [400, "tools"]);
  assertStringIncludes(own.error.message, '"n": must be 1');
  assertEquals(replay.requests.length, 5);
});

Deno.test("examples/06_router.ts gives hard questions to the large model, and goes to the other when one is missing", async () => {
  await using replay = startReplay([HELLO, HELLO, readRecording("model_not_found_stream", "v0.24"), HELLO]);
  await using example = await startExample("06_router.ts", replay);
  const easy = await ask(example.url, { messages: MESSAGES });
  assertEquals([easy.choices[0]?.message.content, easy.custom_outputs?.routed_to], [SAID, "llama3.2:1b"]);
  const hard = await ask(example.url, { messages: [{ role: "user", content: "Prove it" }] });
  assertEquals(hard.custom_outputs?.routed_to, "llama3.1:8b");
  const other = await stream(example.url, { messages: MESSAGES });
  assertEquals([other.text, other.customOutputs?.routed_to], [SAID, "llama3.1:8b"]);
  assertEquals(
    replay.requests.map(({ body }) => body instanceof Object && "model" in body && body.model),
    ["llama3.2:1b", "llama3.1:8b", "llama3.2:1b", "llama3.1:8b"],
  );
  await assertStops(example);
});

Deno.test("examples/06_router.ts asks no other model when the request is at fault, or the answer has begun", async () => {
  const broken = readRecording("runner_killed_midstream", "v0.24");
  await using replay = startReplay([readRecording("ctx_single_too_long_notrunc_stream", "v0.24"), broken]);
  await using example = await startExample("06_router.ts", replay);
  const { status, error } = await refused(example.url, { messages: MESSAGES });
  assertEquals([status, error.code], [400, "context_length_exceeded"]);
  const lost = await refused(example.url, { messages: MESSAGES });
  assertEquals(lost.status, 502);
  assertEquals(replay.requests.length, 2);
});

Deno.test("examples/07_rag.ts has the model read the passages nearest to the question, and names their files", async () => {
  await using ollama = startOllama(() => HELLO);
  await using example = await startExample("07_rag.ts", ollama);
  const question = { role: "user", content: "For how many weeks can books be borrowed, and can a loan be renewed?" };
  const answer = await stream(example.url, { messages: [question] });
  assertEquals(answer.text, SAID);
  const sources = answer.customOutputs?.sources;
  assert(Array.isArray(sources) && sources.length === 3);
  assertEquals(sources[0].file, "borrowing.md");
  assert(sources[0].score >= sources[1].score && sources[1].score >= sources[2].score);

  const [index, lookup, chat] = ollama.requests;
  assertEquals(ollama.requests.map(({ path }) => path), ["/api/embed", "/api/embed", "/api/chat"]);
  assert(index?.body instanceof Object && "input" in index.body && Array.isArray(index.body.input));
  assertEquals(index.body.input.length, 7);
  assertEquals(lookup?.body, { model: "all-minilm", input: [question.content], truncate: false });
  assert(chat?.body instanceof Object && "messages" in chat.body && Array.isArray(chat.body.messages));
  const [system, user] = chat.body.messages;
  assertMatch(system.content, /^Answer from these passages only.*\n\n\[borrowing\.md\] Up to ten books/s);
  assertEquals(user, question);

  const { status, error } = await refused(example.url, { messages: [{ role: "system", content: "x" }] });
  assertEquals([status, error.param], [400, "messages"]);
  await assertStops(example);
});

Deno.test("examples/09_guardrail.ts refuses private data that goes in, and withholds what would come out", async () => {
  const recording = readRecording("chat_nonstream", "v0.24");
  const leak = {
    ...recording,
    response: {
      ...recording.response,
      body_text: recording.response.body_text?.replace(SAID, "Write to ann@example.com") ?? "",
    },
  };
  await using replay = startReplay([recording, leak]);
  await using example = await startExample("09_guardrail.ts", replay);
  assertEquals((await ask(example.url, { messages: MESSAGES })).choices[0]?.message.content, SAID);

  const withheld = await stream(example.url, { messages: MESSAGES });
  assertEquals([withheld.text, withheld.finishReason], ["", "content_filter"]);
  assert(!JSON.stringify(withheld).includes("ann@"));
  assertStringIncludes(JSON.stringify(withheld.chunks), "The answer was withheld");

  for (
    const content of ["Mail bob@example.org", "My card is 4111 1111 1111 1111", [{ type: "text", text: "a@b.cd" }]]
  ) {
    const { status, error } = await refused(example.url, { messages: [...MESSAGES, { role: "user", content }] });
    assertEquals([status, error.code, error.param], [400, "content_filter", "messages.1"]);
  }
  assertEquals(replay.requests.length, 2);
  await assertStops(example);
});

Deno.test("examples/10_conversation_memory.ts goes on with a conversation by its id, and knows no other", async () => {
  await using replay = startReplay([HELLO]);
  await using example = await startExample("10_conversation_memory.ts", replay);
  const first = await ask(example.url, { messages: MESSAGES });
  assertEquals(first.choices[0]?.message.content, SAID);
  const { conversation_id } = first.custom_outputs ?? {};
  assert(typeof conversation_id === "string" && conversation_id.length === 36);

  const more = { messages: [{ role: "user", content: "And then?" }], custom_inputs: { conversation_id } };
  const second = await stream(example.url, more);
  assertEquals([second.text, second.customOutputs?.conversation_id], [SAID, conversation_id]);
  assert(second.chunks.length > 5, "the answer comes in pieces");
  assertEquals(replay.requests[1]?.body, {
    model: "llama3.2:1b",
    messages: [...MESSAGES, { role: "assistant", content: SAID }, ...more.messages],
    stream: true,
    truncate: false,
  });
  for (const id of [crypto.randomUUID(), 7]) {
    const { status, error } = await refused(example.url, { ...more, custom_inputs: { conversation_id: id } });
    assertEquals([status, error.param], [400, "custom_inputs.conversation_id"]);
  }
  for (let messages = 4; messages < 40; messages += 2) await ask(example.url, more);
  const full = await refused(example.url, more);
  assertStringIncludes(full.error.message, "this one has 40 messages");
  await assertStops(example);
});

Deno.test("examples/12_deploy.ts answers when it runs under deno serve", async () => {
  await using example = await startExample("12_deploy.ts");
  const models = await (await fetch(`${example.url}/v1/models`)).json();
  assertEquals(models.data.map(({ id }: { id: string }) => id), ["echo", "demo"]);
  assertEquals((await ask(example.url, { messages: MESSAGES })).choices[0]?.message.content, 'You said: "Hi"');
  const streamed = await stream(example.url, { model: "demo", messages: MESSAGES });
  assertStringIncludes(streamed.text, "You said: Hi");
  assert(streamed.chunks.length > 5, "the answer comes in pieces");
  const { status, error } = await refused(example.url, { model: "other", messages: MESSAGES });
  assertEquals([status, error.code], [404, "model_not_found"]);
});
