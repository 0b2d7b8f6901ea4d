/** Errors that LangChain has a word of its own for, and what it does by that. */
import { ContextOverflowError } from "@langchain/core/errors";
import { ChatOpenAI } from "@langchain/openai";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatModelError } from "../../mod.ts";
import { recordDelays } from "./_delays.ts";
import { memberOf } from "./_matrix.ts";
import { FailingChatModel, SCRIPTED_TEXT } from "./_scripted.ts";
import { serveModels } from "./_served.ts";

function connect(url: string, model: string, maxRetries = 0): ChatOpenAI {
  return new ChatOpenAI({ model, apiKey: "none", maxRetries, configuration: { baseURL: `${url}/v1` } });
}

function tooMany(retryAfter?: number): ChatModelError {
  const options = { status: 429, code: "rate_limit_exceeded", retryable: true };
  return new ChatModelError("Cannot answer: too many requests", {
    ...options,
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

Deno.test("@langchain/openai throws ContextOverflowError when an error speaks of the maximum context length", async () => {
  // It goes by the words of the message, not by the code.
  const message = "Cannot answer: the conversation exceeds the maximum context length of 256 tokens";
  const options = { status: 400, code: "context_length_exceeded" };
  await using served = await serveModels({ failing: new FailingChatModel(() => new ChatModelError(message, options)) });
  const model = connect(served.url, "failing");
  for (
    const ask of [() => model.invoke("Hi"), async () => await Array.fromAsync(await model.stream("Hi"))]
  ) {
    const error = await assertRejects<Error>(ask);
    assert(ContextOverflowError.isInstance(error), String(error));
  }
});

Deno.test("@langchain/openai says which kind of error it is when there is no such model, or too many requests", async () => {
  await using served = await serveModels({ failing: new FailingChatModel(() => tooMany()) });
  for (const [name, kind] of [["nothing", "MODEL_NOT_FOUND"], ["failing", "MODEL_RATE_LIMIT"]] as const) {
    const error = await assertRejects(() => connect(served.url, name).invoke("Hi"));
    assertEquals(memberOf(error, "lc_error_code"), kind);
  }
});

Deno.test("@langchain/openai waits as long as the server says when there are too many requests", async () => {
  const failing = new FailingChatModel((calls) => calls === 0 ? tooMany(7000) : undefined);
  await using served = await serveModels({ failing });
  const { value, delays } = await recordDelays(() => connect(served.url, "failing", 1).invoke("Hi"));
  assertEquals([value.text, failing.calls], [SCRIPTED_TEXT, 2]);
  assert(delays.includes(7000), `${delays}`);
});
