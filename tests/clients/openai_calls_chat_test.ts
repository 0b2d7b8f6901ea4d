/** The calls that the tests of OpenAI's own client make of chat completions and models, with all their parameters. */
import { BadRequestError, NotFoundError, type OpenAI } from "openai";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { threeWays } from "./_sdk_calls.ts";
import { SERVERS } from "./_matrix_servers.ts";

type Params = OpenAI.ChatCompletionCreateParamsNonStreaming;

const MESSAGE = { role: "developer" as const, content: "string" };

/** Every parameter that there is, with the values of the client's own tests. */
const ALL_PARAMS = {
  messages: [{ ...MESSAGE, name: "name" }],
  audio: { format: "wav", voice: "alloy" },
  frequency_penalty: -2,
  function_call: "none",
  functions: [{ name: "name", description: "description", parameters: { foo: "bar" } }],
  logit_bias: { foo: 0 },
  logprobs: true,
  max_completion_tokens: 0,
  max_tokens: 0,
  metadata: { foo: "string" },
  modalities: ["text"],
  n: 1,
  parallel_tool_calls: true,
  prediction: { content: "string", type: "content" },
  presence_penalty: -2,
  prompt_cache_key: "prompt-cache-key-1234",
  prompt_cache_options: { mode: "implicit", ttl: "30m" },
  prompt_cache_retention: "in_memory",
  reasoning_effort: "none",
  response_format: { type: "text" },
  safety_identifier: "safety-identifier-1234",
  seed: Number.MIN_SAFE_INTEGER,
  service_tier: "auto",
  stop: "\n",
  store: true,
  stream: false,
  stream_options: { include_obfuscation: true, include_usage: true },
  temperature: 1,
  tool_choice: "none",
  tools: [{
    type: "function",
    function: { name: "name", description: "description", parameters: { foo: "bar" }, strict: true },
  }],
  top_logprobs: 0,
  top_p: 1,
  user: "user-1234",
  verbosity: "low",
  moderation: { model: "model", policy: { input: { mode: "score" }, output: { mode: "score" } } },
  web_search_options: {
    search_context_size: "low",
    user_location: {
      type: "approximate",
      approximate: { city: "city", country: "country", region: "region", timezone: "timezone" },
    },
  },
} satisfies Omit<Params, "model">;

/** Without a limit of nothing, which is a case of its own. */
const { max_tokens: _none, max_completion_tokens: _nothing, ...PARAMS } = ALL_PARAMS;

/** Ollama cannot bias tokens, and has one list for both kinds of functions: it says so rather than leave them out. */
const { logit_bias: _bias, functions: _functions, function_call: _call, ...PARAMS_OF_OLLAMA } = PARAMS;

for (const server of SERVERS) {
  const { model } = server;
  const params = server.name === "Ollama" ? PARAMS_OF_OLLAMA : PARAMS;

  Deno.test(`openai chat.completions.create() works with ${server.name} with what is required`, async () => {
    await using served = await server.serve("text");
    const { choices } = await threeWays(served.client.chat.completions.create({ model, messages: [MESSAGE] }));
    assertEquals(choices.length, 1);
  });

  Deno.test(`openai chat.completions.create() works with ${server.name} with every parameter`, async () => {
    await using served = await server.serve("text");
    const answer = await served.client.chat.completions.create({ model, ...params });
    assertEquals([answer.object, answer.choices.length, answer.choices[0]?.message.role], [
      "chat.completion",
      1,
      "assistant",
    ]);
  });

  Deno.test(`openai chat.completions.create() streams from ${server.name} with every parameter`, async () => {
    await using served = await server.serve("stream");
    const stream = await served.client.chat.completions.create({ ...params, model, stream: true });
    const chunks = await Array.fromAsync(stream);
    assertEquals(chunks.at(-1)?.choices, []);
    assert(chunks.at(-1)?.usage);
  });

  Deno.test(`openai models.list() and models.retrieve() work with ${server.name}`, async () => {
    await using served = await server.serve("text");
    const { data } = await threeWays(served.client.models.list());
    assertEquals(data.map(({ id }) => id), [model]);
    assertEquals((await threeWays(served.client.models.retrieve(model))).id, model);
  });

  Deno.test(`openai throws NotFoundError with ${server.name} when the path is none`, async () => {
    await using served = await server.serve("text");
    const options = { path: "/_stainless_unknown_path" };
    await assertRejects(() => served.client.models.list(options), NotFoundError, "Invalid URL");
    await assertRejects(() => served.client.models.retrieve(model, options), NotFoundError, "Invalid URL");
  });
}

Deno.test("openai chat.completions.create() throws BadRequestError with Ollama for parameters that it cannot heed", async () => {
  const [, , ollama] = SERVERS;
  assert(ollama?.name === "Ollama");
  await using served = await ollama.serve("text");
  const error = await assertRejects(
    () => served.client.chat.completions.create({ model: ollama.model, ...ALL_PARAMS }),
    BadRequestError,
  );
  for (const name of ['"functions.0.name"', '"logit_bias"', '"max_completion_tokens"']) {
    assertStringIncludes(error.message, name);
  }
});

Deno.test("openai chat.completions.create() gets an empty answer of the demo model when the limit is nothing", async () => {
  const [demo] = SERVERS;
  assert(demo);
  await using served = await demo.serve("text");
  const { choices } = await served.client.chat.completions.create({ model: demo.model, ...ALL_PARAMS });
  assertEquals(choices.map(({ message, finish_reason }) => [message.content, finish_reason]), [["", "length"]]);
});
