import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { OpenAIChatModel, OpenAIClient } from "../../adapters/openai/mod.ts";
import { ChatModelError, loadChatModel } from "../../mod.ts";
import type { Report } from "../_report.ts";
import { GREETING } from "./_scripts.ts";
import { choiceOf, type LlamaServer, loadModel, say, untilBusy } from "./_upstream.ts";

/** Checks what comes of requests that cannot be answered, and of upstreams that fail. */
export async function checkFailures(report: Report, server: LlamaServer): Promise<void> {
  const model = await loadModel(server);
  const baseUrl = `${server.url}/v1`;
  const failure = async (call: () => Promise<unknown>) => {
    const error = await assertRejects(call, ChatModelError);
    assert(!error.message.includes(server.apiKey), "the key is told");
    return error;
  };
  await report.check("a wrong key is told, and not shown", async () => {
    const other = await loadModel({ ...server, apiKey: "wrong-key-of-no-one" });
    const error = await failure(() => other.predict(say("Hi")));
    assertEquals([error.status, error.code], [502, "upstream_authentication"]);
    assert(!error.message.includes("wrong-key-of-no-one"), error.message);
  });
  await report.check("a conversation that is too long is told as such", async () => {
    const error = await failure(() => model.predict(say("x".repeat(70_000))));
    assertEquals([error.status, error.code], [400, "context_length_exceeded"]);
  });
  await report.check("a conversation that is too long is told before a stream begins", async () => {
    const error = await failure(async () => {
      for await (const _ of model.predictStream(say("x".repeat(70_000)))); // Fails before the first.
    });
    assertEquals(error.code, "context_length_exceeded");
  });
  await report.check("a field of the wrong kind is told", async () => {
    const error = await failure(() => model.predict({ ...say("Hi"), grammar: "root ::= (" }));
    assertEquals(error.status, 400, error.message);
  });
  await report.check("a wrong path is told, with a hint", async () => {
    const client = new OpenAIClient({ baseUrl: `${server.url}/api`, apiKey: server.apiKey });
    const other = await loadChatModel(new OpenAIChatModel({ model: "scripted", client }));
    assertStringIncludes((await failure(() => other.predict(say("Hi")))).message, "Check the base URL");
  });
  await report.check("a dead upstream is passed over", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const dead = `http://127.0.0.1:${listener.addr.port}/v1`;
    listener.close();
    using client = new OpenAIClient({
      upstreams: [{ baseUrl: dead, weight: 9 }, { baseUrl, apiKey: server.apiKey }],
    });
    const both = await loadChatModel(new OpenAIChatModel({ model: "scripted", client }));
    assertEquals(choiceOf(await both.predict(say("Hi"))).message.content, GREETING);
  });
  await report.check("all of many calls at once are answered", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => model.predict(say("Hi"))));
    assertEquals(new Set(answers.map((answer) => choiceOf(answer).message.content)), new Set([GREETING]));
    await untilBusy(server, 0);
  });
}
