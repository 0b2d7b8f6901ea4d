/** The calls that the tests of OpenAI's own client make of legacy completions, with all their parameters. */
import type { OpenAI } from "openai";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SERVERS } from "./_matrix_servers.ts";
import { threeWays } from "./_sdk_calls.ts";

/** Every parameter that a chat model can heed. */
const PARAMS = {
  frequency_penalty: -2,
  max_tokens: 100,
  n: 1,
  presence_penalty: -2,
  seed: 1,
  stop: "\n",
  stream: false,
  stream_options: { include_usage: true },
  temperature: 1,
  top_p: 1,
  user: "user-1234",
} satisfies Omit<OpenAI.CompletionCreateParamsNonStreaming, "model" | "prompt">;

for (const server of SERVERS) {
  const { model, name } = server;
  const prompt = server.prompts.text;

  Deno.test(`openai completions.create() works with ${name} with what is required, and with every parameter`, async () => {
    await using served = await server.serve("text");
    const { completions } = served.client;
    const plain = await threeWays(completions.create({ model, prompt }));
    assertEquals([plain.object, plain.choices.map(({ text }) => text)], ["text_completion", [server.text]]);
    const full = await completions.create({ model, prompt, ...PARAMS });
    assertEquals(full.choices.length, 1);
  });

  Deno.test(`openai completions.create() streams from ${name} with every parameter`, async () => {
    await using served = await server.serve("stream");
    const stream = await served.client.completions.create({ model, prompt, ...PARAMS, stream: true });
    const chunks = await Array.fromAsync(stream);
    const text = chunks.flatMap(({ choices }) => choices).map((choice) => choice.text).join("");
    // The demo model closes with a phrase that its seed chooses.
    assertStringIncludes(text, server.text);
    assertEquals(chunks.at(-1)?.choices, []);
    assert(chunks.at(-1)?.usage);
  });
}
