import { assertEquals } from "@std/assert";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { ChatModelError } from "../../mod.ts";
import { saying, sayingForever, ScriptedModel } from "./_models.ts";
import { PHONE, withPlayground } from "./_page.ts";

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const TEXT = "## Title\n\nText with `code` and a [link](https://example.com).\n\n```ts\nconst x = 1;\n```\n\n" +
  "| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n\n> quoted";

/** Checks all of axe's rules, those of good practice included. */
async function check(page: Page, where: string): Promise<void> {
  const found = await page.evaluate<readonly Violation[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  );
  const said = found.map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)}`
  );
  assertEquals(said, [], where);
}

const LOOKS: readonly [name: string, options: BrowserContextOptions][] = [
  ["in light", { colorScheme: "light" }],
  ["in dark", { colorScheme: "dark" }],
  ["on a phone", { ...PHONE, colorScheme: "light" }],
  ["on a phone in dark", { ...PHONE, colorScheme: "dark" }],
];

for (const [name, options] of LOOKS) {
  Deno.test(`playground has nothing for axe to complain about ${name}`, async () => {
    const model = new ScriptedModel({
      text: saying({ reasoning: "Thinking" }, TEXT, { finish_reason: "stop", custom_outputs: { a: 1 } }),
      tool: saying({ tool_calls: [{ type: "function", function: { name: "add", arguments: "{}" } }] }),
      tools: saying({
        tool_calls: ["w", "w", "v"].map((name, index) => ({
          index,
          id: `call_${index}`,
          type: "function",
          function: { name, arguments: "{}" },
        })),
      }),
      "tool result": saying({ tool_calls: [{ type: "function", function: { name: "w", arguments: "{}" } }] }),
      choices: saying({ choices: [0, 1].map((index) => ({ index, delta: { content: `Answer ${index}` } })) }),
      wait: sayingForever("The beginning"),
      // deno-lint-ignore require-yield -- fails before it says anything
      async *fail() {
        throw new ChatModelError("Cannot think today", { status: 503, code: "tired" });
      },
    });
    await withPlayground({ model }, async ({ page, send, answer }) => {
      await page.evaluate(axe.source);
      await check(page, "empty");
      await send("text");
      const first = await answer();
      await first.getByRole("button", { name: "Reasoning" }).click();
      await first.getByText("Custom outputs").click();
      await check(page, "with an answer");
      await page.getByRole("button", { name: "Request, frames and code" }).click();
      for (const tab of await page.getByRole("tab").all()) {
        await tab.click();
        await check(page, `with the dialog open at ${await tab.innerText()}`);
      }
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Edit and resend" }).first().click();
      await check(page, "while a message is changed");
      await page.keyboard.press("Escape");
      await send("fail");
      await answer(2);
      await check(page, "with an error");
      const toggle = page.getByRole("button", { name: "Settings" });
      const isPhone = await toggle.isVisible();
      if (isPhone) await toggle.click();
      await page.getByLabel("Tools (JSON)", { exact: true }).fill("{");
      await check(page, "with a setting that is wrong");
      await page.getByLabel("Tools (JSON)", { exact: true }).fill("");
      if (isPhone) await page.keyboard.press("Escape");
      await send("tool");
      await answer(3);
      await check(page, "with a tool's call");
      await page.getByRole("button", { name: "New chat" }).click();
      await send("tools");
      const called = await answer();
      assertEquals(await called.getByLabel(/^Result of/).count(), 3);
      for (const name of ["Result of w (1 of 2)", "Result of w (2 of 2)", "Result of v"]) {
        assertEquals(await called.getByLabel(name, { exact: true }).count(), 1, name);
      }
      await check(page, "with several calls of the same tool");
      await called.getByRole("button", { name: "Send results" }).click();
      await answer(2);
      await check(page, "with calls of the same tool in several answers");
      await page.getByRole("button", { name: "New chat" }).click();
      await send("choices");
      await answer();
      assertEquals(await page.getByRole("group", { name: "Answers" }).count(), 1);
      await check(page, "with two answers");
      await page.getByRole("button", { name: "New chat" }).click();
      await send("wait");
      await page.getByText("The beginning").waitFor();
      await check(page, "while an answer is being made");
      await page.keyboard.press("Escape");
      assertEquals(
        await page.evaluate("document.documentElement.scrollWidth - innerWidth"),
        0,
        "wider than the screen",
      );
    }, options);
  });
}
