/** What the AI SDK makes of answers beyond the matrix: thinking, refusals, two calls and their results, usage details. */
import { generateText, type LanguageModel, streamText } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { assertEquals } from "@std/assert";
import { ScriptedChatModel } from "./_scripted.ts";
import { serveModels } from "./_served.ts";

// It tells on the console of settings that a provider leaves out.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const PROVIDERS: Readonly<Record<string, (baseURL: string) => LanguageModel>> = {
  "@ai-sdk/openai": (baseURL) => createOpenAI({ baseURL, apiKey: "none" })("scripted"),
  "@ai-sdk/openai .chat()": (baseURL) => createOpenAI({ baseURL, apiKey: "none" }).chat("scripted"),
  "@ai-sdk/openai-compatible": (baseURL) =>
    createOpenAICompatible({ name: "ours", baseURL, includeUsage: true })("scripted"),
};

for (const [name, makeModel] of Object.entries(PROVIDERS)) {
  Deno.test(`${name} gives an answer with thinking, whole and streamed`, async () => {
    await using served = await serveModels({ scripted: ScriptedChatModel });
    const model = makeModel(`${served.url}/v1`);
    // By the responses API it reads the summary of thinking only, and asks for one only of models that it knows to
    // think, unless told.
    const providerOptions = { openai: { reasoningSummary: "auto", forceReasoning: name === "@ai-sdk/openai" } };
    const settings = { model, prompt: "reasoning", maxRetries: 0, providerOptions };
    const whole = await generateText(settings);
    const streamed = streamText(settings);
    assertEquals([whole.text, await streamed.text], ["42", "42"]);
    // The provider of OpenAI reads no thinking from chat completions: OpenAI sends none there.
    const thinking = name.endsWith(".chat()") ? undefined : "Let me think.";
    assertEquals([whole.reasoningText, await streamed.reasoningText], [thinking, thinking]);
    const { outputTokens, outputTokenDetails } = await streamed.usage;
    assertEquals([outputTokens, outputTokenDetails.reasoningTokens], [7, 3]);
  });

  Deno.test(`${name} tells when an answer was cut or withheld`, async () => {
    await using served = await serveModels({ scripted: ScriptedChatModel });
    const model = makeModel(`${served.url}/v1`);
    for (const [prompt, text, finish] of [["length", "Hello from", "length"], ["filtered", "Hel", "content-filter"]]) {
      const whole = await generateText({ model, prompt: prompt ?? "", maxRetries: 0 });
      const streamed = streamText({ model, prompt: prompt ?? "", maxRetries: 0 });
      assertEquals([whole.text, whole.finishReason], [text, finish]);
      assertEquals([await streamed.text, await streamed.finishReason], [text, finish]);
    }
  });

  Deno.test(`${name} gives an empty answer as it is`, async () => {
    await using served = await serveModels({ scripted: ScriptedChatModel });
    const model = makeModel(`${served.url}/v1`);
    const whole = await generateText({ model, prompt: "empty", maxRetries: 0 });
    assertEquals([whole.text, whole.finishReason], ["", "stop"]);
  });

  Deno.test(`${name} gives a long answer whole`, async () => {
    await using served = await serveModels({ scripted: ScriptedChatModel });
    const streamed = streamText({ model: makeModel(`${served.url}/v1`), prompt: "long", maxRetries: 0 });
    assertEquals(await streamed.text, "🦕 ".repeat(10_000));
  });
}
