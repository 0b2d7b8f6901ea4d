/** Fields of requests and answers as OpenAI's own client knows them, of the demo model and of recorded Ollamas. */
import { LengthFinishReasonError } from "openai/error";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { BACKENDS, chatBodies, member, OLLAMA_MODEL, serveModels, serveOllama } from "./_served.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { type Recording, VERSIONS } from "../support/replay.ts";

const MESSAGES = [{ role: "user" as const, content: "Hi there" }];
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const WEATHER = {
  type: "object",
  properties: {
    city: { type: "string" },
    temp_c: { type: "integer" },
    tags: { type: "array", items: { type: "string" } },
  },
  required: ["city", "temp_c", "tags"],
};
const WEATHER_FORMAT = {
  type: "json_schema" as const,
  json_schema: { name: "weather", schema: WEATHER, strict: true },
};

/** A model of Ollama that sees, as it tells of itself. */
const SHOW_VISION: Recording = {
  scenario: "show_vision",
  request: { method: "POST", path: "/api/show" },
  response: {
    status: 200,
    headers: { "content-type": "application/json" },
    body_text: JSON.stringify({ capabilities: ["completion", "vision"] }),
  },
};

function assertWeather(value: unknown): void {
  assert(typeof value === "object" && value !== null);
  assertEquals(Object.keys(value).sort(), ["city", "tags", "temp_c"]);
  assertEquals(typeof member(value, "city"), "string");
  assert(Number.isInteger(member(value, "temp_c")));
  assert(Array.isArray(member(value, "tags")));
}

for (const { name, model, serve } of BACKENDS) {
  Deno.test(`openai create() gives the log probabilities of ${name}`, async () => {
    await using served = await serve(["logprobs"]);
    const answer = await served.client.chat.completions.create({
      model,
      messages: MESSAGES,
      logprobs: true,
      max_completion_tokens: 4,
    });
    const [choice] = answer.choices;
    assertEquals(choice?.finish_reason, "length");
    const tokens = choice?.logprobs?.content ?? [];
    assertEquals(tokens.length, 4);
    assertEquals(tokens.map(({ token }) => token).join(""), choice?.message.content);
    for (const { token, bytes, logprob, top_logprobs } of tokens) {
      assertEquals(bytes, [...new TextEncoder().encode(token)]);
      assert(logprob <= 0);
      assertEquals(top_logprobs, []);
    }
  });

  Deno.test(`openai stream() gathers the log probabilities of ${name} with the likeliest tokens`, async () => {
    await using served = await serve(["logprobs_top3_stream"]);
    const stream = served.client.chat.completions.stream({
      model,
      messages: MESSAGES,
      logprobs: true,
      top_logprobs: 3,
      max_completion_tokens: 4,
    });
    const [choice] = (await stream.finalChatCompletion()).choices;
    const tokens = choice?.logprobs?.content ?? [];
    assertEquals(tokens.map(({ token }) => token).join(""), choice?.message.content);
    assertEquals(tokens.map(({ top_logprobs }) => top_logprobs.length), [3, 3, 3, 3]);
    assert(tokens.every(({ token, top_logprobs }) => top_logprobs[0]?.token === token));
  });

  Deno.test(`openai create() gives two answers of ${name} when n is 2`, async () => {
    await using served = await serve(["seed_1", "seed_2"]);
    const answer = await served.client.chat.completions.create({ model, messages: MESSAGES, n: 2, seed: 1 });
    assertEquals(answer.choices.map(({ index, finish_reason }) => ({ index, finish_reason })), [
      { index: 0, finish_reason: "stop" },
      { index: 1, finish_reason: "stop" },
    ]);
    assertEquals(new Set(answer.choices.map(({ message }) => message.content)).size, 2);
    for (const { message } of answer.choices) assertEquals(Object.keys(message).sort(), ["content", "refusal", "role"]);
    if (model !== OLLAMA_MODEL) return;
    assertEquals(answer.usage, { prompt_tokens: 2, completion_tokens: 10, total_tokens: 12 });
  });

  Deno.test(`openai stream() keeps two answers of ${name} apart when n is 2`, async () => {
    await using served = await serve(["chat_stream"]);
    const stream = served.client.chat.completions.stream({ model, messages: MESSAGES, n: 2 });
    const { choices } = await stream.finalChatCompletion();
    assertEquals(choices.map(({ index, finish_reason }) => [index, finish_reason]), [[0, "stop"], [1, "stop"]]);
    for (const { message } of choices) assert((message.content ?? "").length > 20);
  });

  Deno.test(`openai parse() gives structured output of ${name} when a schema is set`, async () => {
    await using served = await serve(["format_schema"]);
    const answer = await served.client.chat.completions.parse({
      model,
      messages: [{ role: "user", content: 'How is the weather in "Paris", is it 21 degrees?' }],
      response_format: WEATHER_FORMAT,
    });
    const message = answer.choices[0]?.message;
    assertWeather(message?.parsed);
    assertEquals(JSON.parse(message?.content ?? ""), message?.parsed);
    assertEquals([member(Object(message?.parsed), "city"), member(Object(message?.parsed), "temp_c")], ["Paris", 21]);
  });

  Deno.test(`openai parse() says that the output of ${name} is cut when the limit is too low`, async () => {
    await using served = await serve(["format_schema_truncated"]);
    const error = await assertRejects(
      () =>
        served.client.chat.completions.parse({
          model,
          messages: MESSAGES,
          response_format: WEATHER_FORMAT,
          max_completion_tokens: 1,
        }),
    );
    assertInstanceOf(error, LengthFinishReasonError);
  });

  Deno.test(`openai stream() gives the reasoning of ${name} apart from the answer`, async () => {
    await using served = await serve(["show_think", "think_true_stream"]);
    const stream = await served.client.chat.completions.create({
      model,
      messages: MESSAGES,
      reasoning_effort: "high",
      stream: true,
    });
    let reasoning = "";
    let text = "";
    for await (const { choices: [choice] } of stream) {
      const thought = member(choice?.delta, "reasoning");
      assertEquals(member(choice?.delta, "reasoning_content"), thought);
      if (typeof thought === "string") {
        reasoning += thought;
        assertEquals(text, "", "the thinking comes first");
      }
      text += choice?.delta.content ?? "";
    }
    assert(reasoning.length > 20 && text.length > 10);
    assert(!text.includes(reasoning));
  });
}

for (const version of VERSIONS) {
  Deno.test(`openai create() gives the reasoning of Ollama ${version} when it is not streamed`, async () => {
    await using served = await serveOllama(version, ["show_think", "think_true"]);
    const answer = await served.client.chat.completions.create({
      model: OLLAMA_MODEL,
      messages: MESSAGES,
      reasoning_effort: "high",
    });
    const message = answer.choices[0]?.message;
    assertEquals(message?.content, "Hello after thinking.");
    assertEquals(member(message, "reasoning"), "The user greets me. I should greet back politely.");
    assertEquals(member(message, "reasoning_content"), member(message, "reasoning"));
    assertEquals(chatBodies(served).map((body) => member(Object(body), "think")), ["high"]);
  });

  Deno.test(`openai create() reaches Ollama ${version} with OpenAI's names of options`, async () => {
    await using served = await serveOllama(version, ["options_stop_array"]);
    const answer = await served.client.chat.completions.create({
      model: OLLAMA_MODEL,
      messages: [{ role: "developer", content: "Be brief" }, ...MESSAGES],
      max_completion_tokens: 100,
      max_tokens: 7,
      temperature: 0.2,
      top_p: 0.9,
      stop: ["STOP", "END"],
      seed: 42,
      presence_penalty: 0.5,
      frequency_penalty: -0.5,
    });
    assertEquals([answer.choices[0]?.message.content, answer.choices[0]?.finish_reason], ["before ", "stop"]);
    assertEquals(chatBodies(served), [{
      model: OLLAMA_MODEL,
      messages: [{ role: "system", content: "Be brief" }, { role: "user", content: "Hi there" }],
      options: {
        num_predict: 100,
        temperature: 0.2,
        top_p: 0.9,
        stop: ["STOP", "END"],
        seed: 42,
        presence_penalty: 0.5,
        frequency_penalty: -0.5,
      },
      truncate: false,
      stream: false,
    }]);
  });

  Deno.test(`openai create() ends at the limit of tokens of Ollama ${version}`, async () => {
    await using served = await serveOllama(version, ["num_predict_5_stream"]);
    const stream = served.client.chat.completions.stream({
      model: OLLAMA_MODEL,
      messages: MESSAGES,
      max_completion_tokens: 5,
    });
    const [choice] = (await stream.finalChatCompletion()).choices;
    assertEquals([choice?.message.content, choice?.finish_reason], ["Hello from a sc", "length"]);
  });

  Deno.test(`openai create() hands an image on to Ollama ${version} when it is in the request`, async () => {
    await using served = await serveOllama(version, [SHOW_VISION, "chat_nonstream"]);
    await served.client.chat.completions.create({
      model: OLLAMA_MODEL,
      messages: [{
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}`, detail: "low" } },
        ],
      }],
    });
    const [body] = chatBodies(served);
    assertEquals(member(Object(body), "messages"), [{ role: "user", content: "What is this?", images: [PIXEL] }]);
  });

  Deno.test(`openai create() seeds the answers of Ollama ${version} one after the other when n is 2`, async () => {
    await using served = await serveOllama(version, ["seed_1", "seed_2"]);
    await served.client.chat.completions.create({ model: OLLAMA_MODEL, messages: MESSAGES, n: 2, seed: 1 });
    const seeds = chatBodies(served).map((body) => member(Object(member(Object(body), "options")), "seed"));
    assertEquals(seeds.sort(), [1, 2]);
  });
}

Deno.test("openai create() has the demo model honour stop, limit, seed, roles and images", async () => {
  await using served = await serveModels({ demo: DemoChatModel });
  const ask = async (options: { readonly stop?: string; readonly max_completion_tokens?: number; seed?: number }) => {
    const { choices } = await served.client.chat.completions.create({ model: "demo", messages: MESSAGES, ...options });
    return [choices[0]?.message.content, choices[0]?.finish_reason];
  };
  assertEquals(await ask({ stop: " demo" }), ["This is the", "stop"]);
  assertEquals(await ask({ max_completion_tokens: 3 }), ["This is the", "length"]);
  assertEquals(await ask({ seed: 1 }), await ask({ seed: 1 }));
  const { choices: [choice] } = await served.client.chat.completions.create({
    model: "demo",
    messages: [
      { role: "developer", content: "Be brief" },
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
        ],
      },
    ],
  });
  assertStringIncludes(choice?.message.content ?? "", "What is this? [image]");
});
