import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { saying, ScriptedModel } from "./_models.ts";
import { withPlayground } from "./_page.ts";

/** How a screen reader would call what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`(() => {
    const element = document.activeElement;
    return element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
  })()`);
}

/** Goes on by Tab until something of that name has the focus; every stop on the way must be seen. */
async function tabTo(page: Page, name: string, key = "Tab"): Promise<string[]> {
  const way: string[] = [];
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press(key);
    const current = await focused(page);
    way.push(current);
    const isVisible = await page.evaluate<boolean>(`(() => {
      const element = document.activeElement;
      if (getComputedStyle(element).outlineStyle !== "none") return true;
      // The message field shows it by the border around it.
      const box = element.closest(".composer-box");
      if (box === null) return false;
      const probe = document.createElement("i");
      probe.style.color = "var(--accent)";
      box.append(probe);
      const accent = getComputedStyle(probe).color;
      probe.remove();
      return getComputedStyle(box).borderTopColor === accent;
    })()`);
    assert(isVisible, `the focus on "${current}" is not seen`);
    if (current === name) return way;
  }
  throw new Error(`Cannot reach "${name}" by ${key}: ${way.join(" > ")}`);
}

Deno.test("playground can be used by keyboard alone", async () => {
  const model = new ScriptedModel({
    "One\ntwo": saying({
      tool_calls: [{ id: "call_1", type: "function", function: { name: "add", arguments: "{}" } }],
      finish_reason: "tool_calls",
    }),
    "tool result": saying("It is three"),
    "One\nfour": saying("Four"),
  });
  await withPlayground({ model }, async ({ page, answer }) => {
    const keys = page.keyboard;
    assertEquals(await focused(page), "Message");
    await keys.type("One");
    await keys.press("Shift+Enter");
    await keys.type("two");
    await keys.press("Enter");
    await answer();
    await tabTo(page, "Result of add", "Shift+Tab");
    await keys.type("3");
    await keys.press("Tab");
    assertEquals(await focused(page), "Send result");
    await keys.press("Enter");
    assertEquals(await focused(page), "Message");
    assertEquals(await (await answer(2)).getByTestId("markdown").innerText(), "It is three");

    // Look at the wire, and come back to where one was.
    await tabTo(page, "Request, frames and code", "Shift+Tab");
    await keys.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo(page, "Request");
    await keys.press("ArrowRight");
    assert((await focused(page)).startsWith("Frames ("));
    await keys.press("End");
    assertEquals(await focused(page), "openai-python");
    await keys.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assertEquals(await focused(page), "Request, frames and code");

    // Change the first message.
    await tabTo(page, "Edit and resend", "Shift+Tab");
    await keys.press("Enter");
    assertEquals(await focused(page), "Edit message");
    await keys.press("Escape");
    assertEquals(await focused(page), "Message");
    await tabTo(page, "Edit and resend", "Shift+Tab");
    await keys.press("Enter");
    for (const _ of "two") await keys.press("Backspace");
    await keys.type("four");
    await keys.press("Enter");
    await page.locator(".message.assistant.done").getByText("Four").waitFor();
    assertEquals(await page.locator(".message").count(), 2);
    assertEquals(model.seen.at(-1)?.messages, [{ role: "user", content: "One\nfour" }]);
  });
});

Deno.test("playground lets one skip to the message field, and reaches every setting", async () => {
  await withPlayground({ model: new ScriptedModel({}) }, async ({ page }) => {
    await tabTo(page, "Skip to the message field", "Shift+Tab");
    await page.keyboard.press("Enter");
    assertEquals(await focused(page), "Message");
    const way = await tabTo(page, "API key");
    for (
      const name of ["System prompt", "Temperature", "Seed", "Stop sequences", "Tools (JSON)", "Stream the answer"]
    ) {
      assert(way.includes(name), `${name} in ${way.join(" > ")}`);
    }
  });
});

Deno.test("playground does not send what an input method is still composing", async () => {
  const model = new ScriptedModel({ "日本": saying("はい") });
  await withPlayground({ model }, async ({ page, answer }) => {
    await page.locator("#composer-text").fill("日本");
    await page.locator("#composer-text").evaluate((element) => {
      const event = new Event("keydown", { bubbles: true, cancelable: true });
      element.dispatchEvent(Object.assign(event, { key: "Enter", isComposing: true }));
    });
    assertEquals(await page.locator("#composer-text").inputValue(), "日本");
    assertEquals(await page.locator(".message").count(), 0);
    await page.keyboard.press("Enter");
    await answer();
    assertEquals(model.seen.length, 1);
  });
});
