import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { PredictPart } from "../../mod.ts";
import { saying, sayingForever, ScriptedModel } from "./_models.ts";
import { withPlayground } from "./_page.ts";

function piece(index: number, content: string): PredictPart {
  return { choices: [{ index, delta: { content } }] };
}

const THREE: readonly PredictPart[] = [
  piece(0, "Red "),
  piece(2, "Blue "),
  piece(1, "Green "),
  piece(2, "sky"),
  piece(0, "rose"),
  piece(1, "grass"),
  {
    choices: [
      { index: 0, delta: {}, finish_reason: "stop" },
      { index: 1, delta: {}, finish_reason: "length" },
      { index: 2, delta: {}, finish_reason: "stop" },
    ],
  },
];

for (const stream of [true, false]) {
  Deno.test(`playground shows every answer ${stream ? "of a stream" : "that comes in one piece"}, and goes on from the one shown`, async () => {
    const model = new ScriptedModel({ Go: saying(...THREE), On: saying("Fine") });
    await withPlayground({ model }, async ({ page, send, answer }) => {
      await page.getByLabel("More request fields (JSON)").fill('{"n": 3}');
      if (!stream) await page.getByLabel("Stream the answer").uncheck();
      await send("Go");
      const article = await answer();
      const group = article.getByRole("group", { name: "Answers" });
      const text = article.getByTestId("markdown");
      const next = group.getByRole("button", { name: "Next answer" });
      assertEquals(await page.getByTestId("announcement").innerText(), "3 answers complete");
      assertEquals([await group.innerText(), await text.innerText()], ["←\nAnswer 1 of 3\n→", "Red rose"]);
      await next.press("Enter");
      assertEquals([await group.innerText(), await text.innerText()], ["←\nAnswer 2 of 3\n→", "Green grass"]);
      assertStringIncludes(await article.getByTestId("statistics").innerText(), "length");
      assertEquals(await page.getByTestId("announcement").innerText(), "Answer 2 of 3");
      await next.press("Enter");
      assertEquals(await text.innerText(), "Blue sky");
      await next.press("Enter");
      assertEquals(await text.innerText(), "Red rose");
      await group.getByRole("button", { name: "Previous answer" }).click();
      assertEquals([await group.innerText(), await text.innerText()], ["←\nAnswer 3 of 3\n→", "Blue sky"]);
      await page.reload();
      assertEquals(await text.innerText(), "Blue sky");
      await send("On");
      await answer(2);
      assertEquals(model.seen.at(-1)?.messages.map(({ content }) => content), ["Go", "Blue sky", "On"]);
      assertEquals(await page.getByRole("group", { name: "Answers" }).count(), 1);
    });
  });
}

Deno.test("playground keeps the answer that is looked at while all of them grow", async () => {
  const model = new ScriptedModel({
    async *Go(context) {
      yield piece(0, "First");
      yield piece(1, "Second");
      await grown.promise;
      yield piece(1, " grown");
      yield* sayingForever()(context, [], {});
    },
  });
  const grown = Promise.withResolvers<void>();
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("More request fields (JSON)").fill('{"n": 2}');
    await send("Go");
    await page.getByRole("button", { name: "Next answer" }).click();
    await page.getByText("Second").waitFor();
    grown.resolve();
    await page.getByText("Second grown").waitFor();
    await page.keyboard.press("Escape");
    assertEquals(await (await answer()).getByTestId("markdown").innerText(), "Second grown");
  });
});

Deno.test("playground hands on the results of the answer that was chosen, and asks for those of another", async () => {
  const call = (index: number, id: string) => ({
    choices: [{
      index,
      delta: { tool_calls: [{ index: 0, id, type: "function" as const, function: { name: "add", arguments: "{}" } }] },
      finish_reason: "tool_calls" as const,
    }],
  });
  const model = new ScriptedModel({ Go: saying(call(0, "call_a"), call(1, "call_b")), "tool result": saying("Three") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("More request fields (JSON)").fill('{"n": 2}');
    await page.getByLabel("Tools (JSON)", { exact: true }).fill('[{"name": "add"}]');
    await send("Go");
    const article = await answer();
    await article.getByLabel("Result of add").fill("1");
    await article.getByRole("button", { name: "Next answer" }).click();
    assertEquals(await article.getByLabel("Result of add").inputValue(), "");
    await article.getByLabel("Result of add").fill("2");
    await article.getByRole("button", { name: "Send result" }).click();
    await answer(2);
    assertEquals(model.seen.at(-1)?.messages.slice(1), [
      {
        role: "assistant",
        tool_calls: [{ id: "call_b", type: "function", function: { name: "add", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "call_b", content: "2" },
    ]);
    // The other one's call has no result, which models refuse.
    await article.getByRole("button", { name: "Next answer" }).click();
    await send("And?");
    await page.getByText("The model waits for its tools").waitFor();
    assertEquals(model.seen.length, 2);
  });
});

Deno.test("playground's next request has no result of a call that was not given", async () => {
  const model = new ScriptedModel({
    Go: saying({ tool_calls: [{ id: "call_1", type: "function", function: { name: "add", arguments: "{}" } }] }),
    "tool result": saying("Three"),
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("Tools (JSON)", { exact: true }).fill('[{"name": "add"}]');
    await send("Go");
    const article = await answer();
    const messages = async () => {
      await page.getByRole("button", { name: "Show the next request as code" }).click();
      const shown = await page.getByTestId("wire").innerText();
      const notices = await page.getByRole("dialog").locator(".notice").allInnerTexts();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      return { notices, messages: JSON.parse(shown.slice(shown.indexOf("{"))).messages };
    };
    const called = {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "add", arguments: "{}" } }],
    };
    assertEquals(await messages(), {
      notices: ["Without the results of what the model calls, which are not sent yet: add"],
      messages: [{ role: "user", content: "Go" }, called],
    });
    // An empty result is one once it is sent.
    await article.getByRole("button", { name: "Send result" }).click();
    await answer(2);
    assertEquals(await messages(), {
      notices: [],
      messages: [
        { role: "user", content: "Go" },
        called,
        { role: "tool", tool_call_id: "call_1", content: "" },
        { role: "assistant", content: "Three" },
      ],
    });
  });
});

Deno.test("playground names the model that was asked, known or not, and does not say that it answered", async () => {
  const model = new ScriptedModel({ Go: saying("Hi") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("More request fields (JSON)").fill('{"model": "nobody"}');
    await send("Go");
    const article = await answer();
    assertEquals(await article.locator(".speaker").innerText(), "No answer from nobody");
    assertEquals(await article.getAttribute("aria-label"), "No answer from nobody");
    assertStringIncludes(await article.getByTestId("error").innerText(), "404");
    await page.getByLabel("More request fields (JSON)").fill("");
    await article.getByRole("button", { name: "Retry" }).click();
    await page.locator(".message.assistant.done").getByText("Hi").waitFor();
    assertEquals(await page.locator(".speaker").innerText(), "model");
    assert(await page.getByRole("article", { name: "model said" }).isVisible());
  });
});
