/** The calls that the tests of OpenAI's own client make of embeddings, with all their parameters. */
import { BadRequestError, NotFoundError } from "openai";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { VERSIONS } from "../support/replay.ts";
import { ScriptedChatModel } from "./_scripted.ts";
import { threeWays } from "./_sdk_calls.ts";
import { OLLAMA_MODEL, serveModels, serveOllama } from "./_served.ts";

const SERVERS = [
  { name: "the demo model", model: "demo", serve: () => serveModels({ demo: DemoChatModel }) },
  ...VERSIONS.map((version) => ({
    name: `Ollama ${version}`,
    model: OLLAMA_MODEL,
    serve: () => serveOllama(version, ["embed_dims_nonzero"]),
  })),
];

for (const { name, model, serve } of SERVERS) {
  Deno.test(`openai embeddings.create() works with ${name} with what is required, and with every parameter`, async () => {
    await using served = await serve();
    const { embeddings } = served.client;
    const input = ['!"#$%&', "&%$"];
    // The client asks for base64 unless told otherwise, and decodes it to floats of 32 bits.
    const plain = await threeWays(embeddings.create({ model, input }));
    assertEquals([plain.object, plain.data.map(({ index }) => index)], ["list", [0, 1]]);
    const full = await embeddings.create({
      model,
      input,
      dimensions: 64,
      encoding_format: "float",
      user: "user-1234",
    });
    const [first] = full.data;
    assert(first && first.embedding.length === 64 && first.embedding.some((value) => value !== 0));
    assertEquals(
      plain.data.map(({ embedding }) => embedding),
      full.data.map(({ embedding }) => embedding.map(Math.fround)),
    );
    assertEquals(plain.usage.prompt_tokens, plain.usage.total_tokens);
  });
}

Deno.test("openai embeddings.create() throws when the model has none, and when there is no such model", async () => {
  await using served = await serveModels({ scripted: ScriptedChatModel });
  const { embeddings } = served.client;
  await assertRejects(() => embeddings.create({ model: "scripted", input: "Hi" }), BadRequestError);
  await assertRejects(() => embeddings.create({ model: "none", input: "Hi" }), NotFoundError);
});
