/**
 * The calls that Open WebUI makes of a server that it is given as an OpenAI API: it lists the models, and then always
 * streams, with usage. It is not run itself here.
 */
import { assert, assertEquals } from "@std/assert";
import { ChatModel } from "@chatmodel/chat-model";
import { createApp, listen } from "@chatmodel/chat-model/serve";

/** A line of an event stream that is longer ends its connection ("Chunk too big"), in bytes. */
const LONGEST_LINE = 131_072;

class Talker extends ChatModel {
  override *predictStream(): Generator<string> {
    yield "word ".repeat(100_000);
    yield "end";
  }
}

Deno.test("A server answers the calls that Open WebUI makes", async () => {
  const server = await listen(createApp({ "org/talker": Talker }), { port: 0 });
  const url = `http://127.0.0.1:${server.addr.port}/v1`;
  const headers = { authorization: "Bearer key", "content-type": "application/json" };
  try {
    const models = await (await fetch(`${url}/models`, { headers })).json();
    assertEquals(models.data.map(({ id }: { id: string }) => id), ["org/talker"]);

    const response = await fetch(`${url}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({
        model: models.data[0].id,
        messages: [{ role: "system", content: "Be kind" }, { role: "user", content: "Hello" }],
        stream: true,
        stream_options: { include_usage: true },
        reasoning: { effort: "low" },
      }),
    });
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const lines = (await response.text()).split("\n");
    assert(lines.every((line) => new TextEncoder().encode(line).length < LONGEST_LINE));
    const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice("data: ".length));
    assertEquals(data.at(-1), "[DONE]");
    const chunks = data.slice(0, -1).map((text) => JSON.parse(text));
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    assertEquals(text, `${"word ".repeat(100_000)}end`);

    const refused = await fetch(`${url}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model: "none", messages: [{ role: "user", content: "Hello" }], stream: true }),
    });
    // What is called a stream is read as one: an error must not be.
    assertEquals([refused.status, refused.headers.get("content-type")], [404, "application/json"]);
    assertEquals((await refused.json()).error.code, "model_not_found");
  } finally {
    server.shutdown();
    await server.finished;
  }
});
