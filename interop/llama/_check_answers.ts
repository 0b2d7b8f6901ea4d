import { assert, assertEquals } from "@std/assert";
import { OpenAIClient } from "../../adapters/openai/mod.ts";
import { accumulate } from "../../streaming/mod.ts";
import type { Report } from "../_report.ts";
import { CONCLUSION, COUNT, GREETING, THINKING } from "./_scripts.ts";
import { busySlots, choiceOf, type LlamaServer, loadModel, say, untilBusy } from "./_upstream.ts";

/** Checks what comes of good requests, by both of the server's APIs. */
export async function checkAnswers(report: Report, server: LlamaServer): Promise<void> {
  await report.check("lists its model", async () => {
    const models = await new OpenAIClient({ baseUrl: `${server.url}/v1`, apiKey: server.apiKey }).list();
    assertEquals(models.map(({ id }) => id), ["scripted"]);
  });
  for (const api of ["chat", "responses"] as const) {
    const model = await loadModel(server, { api });
    const where = (name: string) => `${api}: ${name}`;
    await report.check(where("text comes whole, with its usage"), async () => {
      const answer = await model.predict(say("Hi"));
      const { message, finish_reason } = choiceOf(answer);
      assertEquals([message.content, finish_reason], [GREETING, "stop"]);
      const { prompt_tokens = 0, completion_tokens = 0, total_tokens } = answer.usage ?? {};
      assert(prompt_tokens > 0 && completion_tokens > 10, JSON.stringify(answer.usage));
      assertEquals(total_tokens, prompt_tokens + completion_tokens);
    });
    await report.check(where("text comes in pieces, with the same usage"), async () => {
      let pieces = 0;
      const chunks = [];
      for await (const chunk of model.predictStream(say("Hi"))) {
        chunks.push(chunk);
        if (chunk.choices[0]?.delta.content) pieces++;
      }
      const answer = await accumulate(chunks);
      assertEquals([choiceOf(answer).message.content, choiceOf(answer).finish_reason], [GREETING, "stop"]);
      assert(pieces > 5, `${pieces} pieces`);
      const whole = await model.predict(say("Hi"));
      assertEquals([answer.usage?.prompt_tokens, answer.usage?.completion_tokens], [
        whole.usage?.prompt_tokens,
        whole.usage?.completion_tokens,
      ]);
    });
    for (const streamed of [false, true]) {
      const ask = (request: Parameters<typeof model.predict>[0]) =>
        streamed ? accumulate(model.predictStream(request)) : model.predict(request);
      const way = streamed ? "in pieces" : "whole";
      await report.check(where(`max_tokens cuts an answer that comes ${way}`), async () => {
        const answer = await ask({ ...say("<|count|>"), max_tokens: 4 });
        const { message, finish_reason } = choiceOf(answer);
        assertEquals(answer.usage?.completion_tokens, 4);
        // By its other API the server does not tell.
        assertEquals(finish_reason, api === "chat" ? "length" : "stop");
        assert(message.content !== "" && COUNT.startsWith(message.content ?? "-"), `${message.content}`);
      });
      await report.check(where(`thinking stands apart when it comes ${way}`), async () => {
        const { message } = choiceOf(await ask(say("<|think|>")));
        assertEquals([message.reasoning?.trim(), message.content?.trim()], [THINKING, CONCLUSION]);
      });
    }
    await report.check(where("a caller that leaves ends the work of the server"), async () => {
      for await (const { choices: [choice] } of model.predictStream(say("<|endless|>"))) {
        if (!choice?.delta.content) continue;
        assertEquals(await busySlots(server), 1);
        break;
      }
      await untilBusy(server, 0);
    });
    await report.check(where("a signal ends the work of the server on an answer that comes whole"), async () => {
      const controller = new AbortController();
      const call = model.predict(say("<|endless|>"), { signal: controller.signal }).then(
        () => "an answer",
        () => "ended",
      );
      await untilBusy(server, 1);
      controller.abort();
      assertEquals(await call, "ended");
      await untilBusy(server, 0);
    });
  }
  const model = await loadModel(server);
  for (const streamed of [false, true]) {
    const way = streamed ? "in pieces" : "whole";
    const ask = (request: Parameters<typeof model.predict>[0]) =>
      streamed ? accumulate(model.predictStream(request)) : model.predict(request);
    await report.check(`chat: stop ends an answer that comes ${way}`, async () => {
      const { message, finish_reason } = choiceOf(await ask({ ...say("<|count|>"), stop: [" four"] }));
      assertEquals([message.content, finish_reason], ["one two three", "stop"]);
    });
    await report.check(`chat: log probabilities are those of the tokens when they come ${way}`, async () => {
      const { message, logprobs } = choiceOf(await ask({ ...say("<|count|>"), logprobs: true, top_logprobs: 2 }));
      const tokens = logprobs?.content ?? [];
      const text = tokens.map(({ token }) => token).join("");
      assert(text.startsWith(message.content ?? "-"), `${text} is not ${message.content}`);
      assert(tokens.every(({ logprob, top_logprobs }) => logprob <= 0 && top_logprobs.length === 2), "two each");
    });
    await report.check(`chat: timings are kept beside the answer when it comes ${way}`, async () => {
      const outputs = (await ask(say("Hi"))).custom_outputs?.openai;
      assert(typeof outputs === "object" && outputs !== null && "timings" in outputs, JSON.stringify(outputs));
    });
  }
}
