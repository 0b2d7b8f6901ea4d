import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { saying, sayingForever, ScriptedModel } from "./_models.ts";
import { withPlayground } from "./_page.ts";

const USAGE = { prompt_tokens: 7, completion_tokens: 3 };

Deno.test("playground chats with the demo model", async () => {
  await withPlayground({ demo: new DemoChatModel() }, async ({ page, send, answer }) => {
    await send("Good morning");
    assertStringIncludes(await (await answer()).innerText(), "Good morning");
    assertEquals(await page.locator("#composer-text").inputValue(), "");
    await send("And again");
    assertStringIncludes(await (await answer(2)).innerText(), "And again");
    assertEquals(await page.locator(".message.user").count(), 2);
  });
});

Deno.test("playground shows an answer while it is being made", async () => {
  const model = new ScriptedModel({ Go: sayingForever("The beginning") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await page.locator(".message.assistant.streaming").getByText("The beginning").waitFor();
    assertEquals(await page.getByRole("log").getAttribute("aria-busy"), "true");
    await page.getByRole("button", { name: "Stop" }).click();
    await answer();
    assertEquals(await page.getByRole("log").getAttribute("aria-busy"), "false");
  });
});

Deno.test("playground renders Markdown", async () => {
  const text = "# Title\n\n- **one**\n- `two`\n\n```ts\nlet x = 1;\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n" +
    "3. third\n\n[link](https://example.com/x)";
  const model = new ScriptedModel({ Go: saying(...text.split(/(?<= )/)) });
  await withPlayground({ model }, async ({ send, answer }) => {
    await send("Go");
    const markdown = (await answer()).getByTestId("markdown");
    assertEquals(await markdown.getByRole("heading", { name: "Title" }).count(), 1);
    assertEquals(await markdown.locator("li strong").innerText(), "one");
    assertEquals(await markdown.locator("pre code").innerText(), "let x = 1;\n");
    assertEquals(await markdown.locator("td").nth(1).getAttribute("align"), "right");
    assertEquals(await markdown.locator("ol").getAttribute("start"), "3");
    const link = markdown.getByRole("link", { name: "link" });
    assertEquals(await link.getAttribute("href"), "https://example.com/x");
    assertEquals(await link.getAttribute("rel"), "noopener noreferrer");
    assertEquals(await link.getAttribute("target"), "_blank");
  });
});

Deno.test("playground shows reasoning, tokens, times and the reason of the end", async () => {
  const model = new ScriptedModel({
    Go: saying({ reasoning: "Let me " }, { reasoning: "think" }, "Done", { finish_reason: "length", usage: USAGE }),
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    const article = await answer();
    const fold = article.getByRole("button", { name: "Reasoning" });
    assertEquals(await fold.getAttribute("aria-expanded"), "false");
    assertEquals(await page.getByText("Let me think").count(), 0);
    await fold.click();
    await page.getByText("Let me think").waitFor();
    const statistics = await article.getByTestId("statistics").innerText();
    for (const text of ["length", "7 tokens", "3 tokens", "First token", "Total"]) {
      assertStringIncludes(statistics, text);
    }
  });
});

Deno.test("playground sends what is set", async () => {
  const model = new ScriptedModel({ Go: saying("Done") });
  await withPlayground({ other: new DemoChatModel(), model }, async ({ page, send, answer }) => {
    await page.getByLabel("Model", { exact: true }).selectOption("model");
    await page.getByLabel("System prompt").fill("Be short");
    await page.getByLabel("Temperature").fill("0.5");
    await page.getByLabel("Max tokens").fill("25");
    await page.getByLabel("Seed").fill("7");
    await page.getByLabel("Reasoning", { exact: true }).selectOption("low");
    await page.getByLabel("Stop sequences").fill("END\n\\n\\n");
    await page.getByLabel("Response schema (JSON)", { exact: true }).fill('{"type": "object"}');
    await page.getByLabel("Custom inputs (JSON)").fill('{"user": 1}');
    await page.getByLabel("More request fields (JSON)").fill('{"top_p": 0.9}');
    await page.getByLabel("API key").fill("secret-key");
    const request = page.waitForRequest((request) => request.method() === "POST");
    await send("Go");
    assertEquals((await request).headers().authorization, "Bearer secret-key");
    await answer();
    assertEquals(model.seen, [{
      messages: [{ role: "system", content: "Be short" }, { role: "user", content: "Go" }],
      params: {
        temperature: 0.5,
        max_tokens: 25,
        stop: ["END", "\n\n"],
        seed: 7,
        reasoning_effort: "low",
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
        custom_inputs: { user: 1 },
        stream: true,
        stream_options: { include_usage: true },
        top_p: 0.9,
      },
    }]);
    const kept = await page.evaluate<string>("JSON.stringify({ ...localStorage })");
    assert(!kept.includes("secret-key"), kept);
  });
});

Deno.test("playground takes an answer in one piece when it is not to stream", async () => {
  const model = new ScriptedModel({ Go: saying("In one piece", { finish_reason: "stop", usage: USAGE }) });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("Stream the answer").uncheck();
    await send("Go");
    const article = await answer();
    assertEquals(await article.getByTestId("markdown").innerText(), "In one piece");
    assertStringIncludes(await article.getByTestId("statistics").innerText(), "3 tokens");
    assertEquals(model.seen[0]?.params.stream, undefined);
  });
});

Deno.test("playground asks again with a changed message, and without a deleted one", async () => {
  const model = new ScriptedModel({ One: saying("1"), Two: saying("2"), Three: saying("3") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("One");
    await answer(1);
    await send("Two");
    await answer(2);
    await page.getByRole("button", { name: "Edit and resend" }).last().click();
    await page.getByLabel("Edit message").fill("Three");
    await page.getByRole("button", { name: "Send again" }).click();
    await page.locator(".message.assistant.done").getByText("3", { exact: true }).waitFor();
    assertEquals(model.seen.at(-1)?.messages.map(({ content }) => content), ["One", "1", "Three"]);
    await page.getByRole("button", { name: "Delete message" }).first().click();
    await page.getByRole("button", { name: "Delete answer" }).first().click();
    await page.getByRole("button", { name: "Ask again from here" }).click();
    await page.locator(".message.assistant.done").getByText("3", { exact: true }).waitFor();
    assertEquals(model.seen.length, 4);
    assertEquals(model.seen.at(-1)?.messages.map(({ content }) => content), ["Three"]);
  });
});

Deno.test("playground keeps the conversation over a reload, until a new chat is begun", async () => {
  const model = new ScriptedModel({ One: saying("The first answer") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("System prompt").fill("Be short");
    await send("One");
    await answer();
    await page.locator("#composer-text").fill("Not sent yet");
    await page.reload();
    await page.getByText("The first answer").waitFor();
    assertEquals(await page.getByLabel("System prompt").inputValue(), "Be short");
    assertEquals(await page.locator("#composer-text").inputValue(), "Not sent yet");
    await page.getByRole("button", { name: "New chat" }).click();
    assertEquals(await page.locator(".message").count(), 0);
    await page.reload();
    await page.getByRole("heading", { name: "What would you like to ask?" }).waitFor();
    assertEquals(await page.getByLabel("System prompt").inputValue(), "Be short");
  });
});

Deno.test("playground goes from the system's colours to light and dark, and remembers", async () => {
  await withPlayground({ demo: new DemoChatModel() }, async ({ page }) => {
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.getByRole("button", { name: "Theme: system" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    assert(await background() !== light);
    await page.reload();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    assert(await background() !== light);
  }, { colorScheme: "light" });
});
