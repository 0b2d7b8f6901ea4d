import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { saying, ScriptedModel } from "./_models.ts";
import { withPlayground } from "./_page.ts";

const TOOLS = '[{"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}}]';

Deno.test("playground hands tools to the model, shows its calls and hands back their results", async () => {
  const model = new ScriptedModel({
    Go: saying(
      { reasoning: "Two sums" },
      { tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "add", arguments: '{"a":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: "1}" } }] },
      { tool_calls: [{ index: 1, id: "call_2", type: "function", function: { name: "add", arguments: '{"a":2}' } }] },
      { finish_reason: "tool_calls" },
    ),
    "tool result": saying("It is three"),
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.getByLabel("Tools (JSON)", { exact: true }).fill(TOOLS);
    await send("Go");
    const article = await answer();
    assertEquals(await article.getByRole("group", { name: "Call of add" }).count(), 2);
    assertEquals(
      await article.getByRole("group").evaluateAll((all) => all.map((element) => element.getAttribute("aria-label"))),
      ["Call of add (1 of 2)", "Call of add (2 of 2)"],
    );
    assertEquals(JSON.parse(await article.getByLabel("Arguments").first().innerText()), { a: 1 });
    // A message in between would leave the calls without results, which models refuse.
    await send("And?");
    await page.getByText("The model waits for its tools").waitFor();
    assertEquals([model.seen.length, await page.locator("#composer-text").inputValue()], [1, "And?"]);
    await article.getByLabel("Result of add").first().fill("one");
    await article.getByLabel("Result of add").last().fill('{"sum": 2}');
    await article.getByRole("button", { name: "Send results" }).click();
    assertEquals(await (await answer(2)).getByTestId("markdown").innerText(), "It is three");
    const [first, second] = model.seen;
    assertEquals(first?.params.tools, [{ type: "function", function: JSON.parse(TOOLS)[0] }]);
    assertEquals(second?.messages, [
      { role: "user", content: "Go" },
      {
        role: "assistant",
        reasoning: "Two sums",
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "add", arguments: '{"a":1}' } },
          { id: "call_2", type: "function", function: { name: "add", arguments: '{"a":2}' } },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "one" },
      { role: "tool", tool_call_id: "call_2", content: '{"sum": 2}' },
    ]);
    assertEquals(await article.getByLabel("Result", { exact: true }).allInnerTexts(), ["one", '{"sum": 2}']);
  });
});

Deno.test("playground goes through a tool call with the demo model", async () => {
  await withPlayground({ demo: new DemoChatModel() }, async ({ page, send, answer }) => {
    await page.getByRole("button", { name: "Example for Tools (JSON)" }).click();
    await send("get_weather in 'Lisbon'");
    const article = await answer();
    assertStringIncludes(await article.getByLabel("Arguments").innerText(), "Lisbon");
    const result = article.getByLabel("Result of get_weather");
    await result.fill("sunny, 18 degrees");
    await result.press("Control+Enter");
    assertStringIncludes(await (await answer(2)).innerText(), "sunny, 18 degrees");
  });
});

Deno.test("playground takes the answer's shape from a schema", async () => {
  await withPlayground({ demo: new DemoChatModel() }, async ({ page, send, answer }) => {
    await page.getByRole("button", { name: "Example for Response schema (JSON)" }).click();
    await send("Say something");
    const text = await (await answer()).getByTestId("markdown").innerText();
    assertEquals(Object.keys(JSON.parse(text)).sort(), ["answer", "confidence"]);
  });
});

Deno.test("playground shows custom outputs", async () => {
  await withPlayground({ demo: new DemoChatModel() }, async ({ page, send, answer }) => {
    await page.getByLabel("Custom inputs (JSON)").fill('{"user": "u-1"}');
    await send("Hello");
    const article = await answer();
    await article.getByText("Custom outputs").click();
    assertEquals(JSON.parse(await article.locator("details pre").innerText()), {
      demo: { custom_inputs: { user: "u-1" } },
    });
    assert(await article.locator("details").evaluate((element) => element.hasAttribute("open")));
  });
});
