/** A client that leaves: the upstream's connection is closed, whenever it does. */
import { assert, assertEquals } from "@std/assert";
import type { Answer } from "../../support/fake_upstream.ts";
import { RawClient } from "../../serving/_raw_client.ts";
import { type Asking, within } from "../../serving/_stack.ts";
import { sse, startStack, token } from "./_stack.ts";

const HEAD_ONLY = sse([], { end: "stall" });
const CHUNKS = sse([token("One")], { end: "stall" });
const ODD_TYPE = sse([], { end: "stall", contentType: "text/plain" });
const BODY: Answer = [
  { send: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"id":' },
  "stall",
];

const MOMENTS: Record<string, readonly [asking: Asking, answer: Answer, got?: string]> = {
  "stream, before the headers": [{ stream: true }, ["stall"]],
  "stream, before the first chunk": [{ stream: true }, HEAD_ONLY],
  "stream of an odd type, before the first byte": [{ stream: true }, ODD_TYPE],
  "stream answered in JSON, inside the body": [{ stream: true }, BODY],
  "stream, after the first chunk": [{ stream: true }, CHUNKS, "One"],
  "stream of a predict-only model, inside the body": [{ stream: true, model: "predict_only" }, BODY],
  "no stream, before the headers": [{}, ["stall"]],
  "no stream, inside the body": [{}, BODY],
  "no stream of a stream-only model, after the first chunk": [{ model: "stream_only" }, CHUNKS],
};

for (const [name, [asking, answer, got]] of Object.entries(MOMENTS)) {
  Deno.test(`OpenAIChatModel closes the upstream's connection when the client leaves: ${name}`, async () => {
    await using stack = await startStack([answer]);
    await using client = await RawClient.ask(stack.port, asking);
    await within(stack.upstream.requested(1), "the upstream to be asked");
    await new Promise((resolve) => setTimeout(resolve, 20)); // so that what the upstream sends is there
    if (got !== undefined) await within(client.got(got), "the client to get something");
    client.close();
    await within(stack.upstream.allClosed(), "the upstream's connection to close");
    assertEquals(stack.upstream.connections.map(({ closedByPeer }) => closedByPeer), [true]);
    assertEquals(stack.errors, []);
  });
}

Deno.test("OpenAIClient closes the connection on abort also after a garbage collection", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net=127.0.0.1", "--v8-flags=--expose-gc", "abort_after_gc.ts"],
    cwd: new URL("./", import.meta.url),
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, output);
  assertEquals(output.trim().split("\n"), [
    "chat before the headers: 10 of 10 closed",
    "chat inside the body: 10 of 10 closed",
    "chatStream before the headers: 10 of 10 closed",
    "chatStream between chunks: 10 of 10 closed",
    "chatStream with a limit: 10 of 10 closed",
    "chatStream of an odd type, before the first byte: 10 of 10 closed",
    "chatStream of an odd type, between chunks: 10 of 10 closed",
    "chatStream answered in JSON: 10 of 10 closed",
    "embed inside the body: 10 of 10 closed",
  ]);
});
