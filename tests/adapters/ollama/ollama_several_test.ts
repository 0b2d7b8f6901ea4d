import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatModelError } from "../../../mod.ts";
import { type Answer, json, ndjson, startFakeUpstream } from "../../support/fake_upstream.ts";
import { answer, bodies, DONE, load, MESSAGES, read, text } from "./_ollama_model.ts";

Deno.test("OllamaChatModel gives several answers by several calls with seeds of their own", async () => {
  await using upstream = await startFakeUpstream((request) => {
    const { options: { seed }, stream } = JSON.parse(request.body);
    const end = { eval_count: seed, total_duration: seed * 1e6 };
    return stream ? ndjson([text(`a${seed}`), text("!"), { ...DONE, ...end }]) : json(answer(`a${seed}!`, end));
  });
  const model = await load(upstream);
  const request = { messages: MESSAGES, n: 3, seed: 5 };
  const response = await model.predict(request);
  assertEquals(response.choices.map(({ index, message }) => [index, message.content]), [
    [0, "a5!"],
    [1, "a6!"],
    [2, "a7!"],
  ]);
  const usage = { prompt_tokens: 3, completion_tokens: 18, total_tokens: 21 };
  const outputs = {
    ollama: { choices: [{ total_duration: 5 }, { total_duration: 6 }, { total_duration: 7 }] },
  };
  assertEquals([response.usage, response.custom_outputs], [usage, outputs]);

  const chunks = await read(model.predictStream(request));
  const texts = ["", "", ""];
  for (const { index, delta } of chunks.flatMap(({ choices }) => choices)) texts[index] += delta.content ?? "";
  assertEquals(texts, ["a5!", "a6!", "a7!"]);
  const finishes = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.finish_reason !== null);
  assertEquals(finishes.map(({ index, finish_reason }) => [index, finish_reason]), [
    [0, "stop"],
    [1, "stop"],
    [2, "stop"],
  ]);
  assertEquals(chunks.at(-1)?.usage, usage);
  assertEquals(chunks.flatMap(({ custom_outputs }) => custom_outputs ?? []), [outputs]);
});

Deno.test("OllamaChatModel makes up no seeds for several answers", async () => {
  await using upstream = await startFakeUpstream([json(answer("x"))]);
  const model = await load(upstream);
  await model.predict({ messages: MESSAGES, n: 2 });
  assertEquals(bodies(upstream).map(({ options }) => options), [undefined, undefined]);
});

Deno.test("OllamaChatModel ends all of several calls when one fails", async () => {
  const failing: Answer = [{ wait: 30 }, ...json({ error: "broken" }, { status: 500 }), "close"];
  const failingLater: Answer = [...ndjson([text("x"), '{"error":"broken"}']), "close"];
  const begun = ndjson([text("y")], { end: "stall" });
  const silent: Answer = ["stall"];
  for (
    const [streamed, third, others] of [
      [false, failing, silent],
      [true, failing, silent],
      [true, failing, begun],
      [true, failingLater, begun],
    ] as const
  ) {
    await using upstream = await startFakeUpstream((_, index) => index === 2 ? third : others);
    const model = await load(upstream);
    const request = { messages: MESSAGES, n: 3 };
    const error = await assertRejects(
      async () => streamed ? await read(model.predictStream(request)) : await model.predict(request),
      ChatModelError,
      "broken",
    );
    assertEquals(error.status, 502);
    assertEquals(upstream.requests.length, 3);
    await upstream.allClosed();
  }
});

Deno.test("OllamaChatModel ends its calls when they are cancelled, before and after the first token", async () => {
  const reason = new Error("No longer wanted");
  const silent: Answer = ["stall"];
  const begun = ndjson([text("Hi")], { end: "stall" });
  for (const n of [1, 2]) {
    for (const [streamed, chat] of [[false, silent], [true, silent], [true, begun]] as const) {
      await using upstream = await startFakeUpstream([chat]);
      const model = await load(upstream);
      const controller = new AbortController();
      const { signal } = controller;
      const request = { messages: MESSAGES, n };
      const running = streamed ? read(model.predictStream(request, { signal })) : model.predict(request, { signal });
      const outcome = Promise.resolve(running).then(() => "an answer", (error) => error);
      await upstream.requested(n);
      controller.abort(reason);
      assertEquals(await outcome, reason);
      await upstream.allClosed();
      assert(upstream.connections.every(({ closedByPeer }) => closedByPeer));
    }
  }
});

Deno.test("OllamaChatModel ends its calls when no one reads on", async () => {
  for (const n of [1, 2]) {
    await using upstream = await startFakeUpstream([ndjson([text("Hi")], { end: "stall" })]);
    const model = await load(upstream);
    for await (const chunk of model.predictStream({ messages: MESSAGES, n })) {
      if (chunk.choices[0]?.delta.content) break;
    }
    await upstream.allClosed();
    assertEquals(upstream.connections.length, n);
  }
});
