/** The calls that the tests of OpenAI's own client make of responses, with all their parameters. */
import { BadRequestError, NotFoundError, type OpenAI } from "openai";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SERVERS } from "./_matrix_servers.ts";
import { threeWays } from "./_sdk_calls.ts";

const UNKNOWN_PATH = { path: "/_stainless_unknown_path" };

/** Every parameter that a model without tools of OpenAI's own can heed. */
const PARAMS = {
  input: [{ role: "user", content: [{ type: "input_text", text: "Hi there" }] }],
  include: ["message.output_text.logprobs"],
  instructions: "Be brief",
  max_output_tokens: 100,
  metadata: { foo: "string" },
  parallel_tool_calls: true,
  prompt_cache_key: "prompt-cache-key-1234",
  reasoning: { effort: "none" },
  safety_identifier: "safety-identifier-1234",
  service_tier: "auto",
  store: true,
  stream: false,
  temperature: 1,
  text: { format: { type: "text" }, verbosity: "low" },
  tool_choice: "none",
  tools: [{ type: "function", name: "name", description: "description", parameters: { foo: "bar" }, strict: true }],
  top_logprobs: 0,
  top_p: 1,
  truncation: "disabled",
  user: "user-1234",
} satisfies OpenAI.Responses.ResponseCreateParamsNonStreaming;

for (const server of SERVERS) {
  const { model } = server;
  const name = server.name;

  Deno.test(`openai responses.create() works with ${name} with what is required, and with every parameter`, async () => {
    await using served = await server.serve("text");
    const { responses } = served.client;
    const plain = await threeWays(responses.create({ model, input: server.prompts.text }));
    assertEquals(plain.output_text, server.text);
    const full = await threeWays(responses.create({ model, ...PARAMS }));
    assertEquals([full.status, full.metadata, full.instructions], ["completed", { foo: "string" }, "Be brief"]);
    assert(full.output_text.length > 10);
  });

  Deno.test(`openai responses.create() streams from ${name} with every parameter`, async () => {
    await using served = await server.serve("stream");
    const events = await Array.fromAsync(
      await served.client.responses.create({
        model,
        ...PARAMS,
        stream: true,
        stream_options: { include_obfuscation: false },
      }),
    );
    assertEquals(events.map(({ sequence_number }) => sequence_number), [...events.keys()]);
    const [first, last] = [events.at(0)?.type, events.at(-1)?.type];
    assertEquals([first, last], ["response.created", "response.completed"]);
  });

  Deno.test(`openai responses.retrieve(), inputItems.list() and delete() work with ${name}`, async () => {
    await using served = await server.serve("text");
    const { responses } = served.client;
    const { id, output_text } = await responses.create({ model, input: server.prompts.text });
    const kept = await threeWays(responses.retrieve(id));
    assertEquals([kept.id, kept.output_text], [id, output_text]);
    const { data } = await threeWays(responses.inputItems.list(id));
    assertEquals(data.map((item) => item.type), ["message"]);
    await assertRejects(() => responses.retrieve(id, { stream: false }, UNKNOWN_PATH), NotFoundError);
    await assertRejects(() => responses.inputItems.list(id, { limit: 0, order: "asc" }, UNKNOWN_PATH), NotFoundError);
    await responses.delete(id);
    const gone = await assertRejects(() => responses.retrieve(id), NotFoundError);
    assertStringIncludes(gone.message, id);
    await assertRejects(() => responses.delete(id), NotFoundError);
  });

  Deno.test(`openai responses.cancel() and compact() tell with ${name} why they cannot`, async () => {
    await using served = await server.serve("text");
    const { responses } = served.client;
    const { id } = await responses.create({ model, input: server.prompts.text });
    await assertRejects(() => responses.cancel(id), BadRequestError);
    await assertRejects(() => responses.cancel("resp_677efb5139a88190b512bc3fef8e535d"), NotFoundError);
    await assertRejects(() => responses.compact({ model: "gpt-5.4" }), NotFoundError, "Cannot compact");
  });
}
