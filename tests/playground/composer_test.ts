import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { saying, sayingForever, ScriptedModel } from "./_models.ts";
import { PHONE, withPlayground } from "./_page.ts";

/** What has the focus: its name, or its tag if it has none. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>(
    "`${document.activeElement.tagName} ${document.activeElement.getAttribute('aria-label') ?? ''}`.trim()",
  );
}

const FIELD = "TEXTAREA Message";

/** Where the focus goes on a touch screen: into the composer, but not into its field, which brings up the keyboard. */
const COMPOSER = "FORM Message";

type Press = (page: Page, name: string) => Promise<void>;

const PRESSES: readonly [how: string, press: Press, isPhone: boolean][] = [
  ["the mouse", (page, name) => page.getByRole("button", { name, exact: true }).click(), false],
  ["two quick clicks", (page, name) => page.getByRole("button", { name, exact: true }).dblclick(), false],
  ["Enter", (page, name) => page.getByRole("button", { name, exact: true }).press("Enter"), false],
  ["Enter held down", holdEnter, false],
  ["Space", (page, name) => page.getByRole("button", { name, exact: true }).press("Space"), false],
  ["a tap", (page, name) => page.getByRole("button", { name, exact: true }).tap(), true],
];

/** The key repeats itself, after a while, on whatever has the focus then. */
async function holdEnter(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).focus();
  await page.keyboard.down("Enter");
  await page.locator(".message.stopped").waitFor();
  await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
}

for (const [how, press, isPhone] of PRESSES) {
  Deno.test(`playground's Stop by ${how} sends nothing, keeps the draft and the focus`, async () => {
    const model = new ScriptedModel({ Go: sayingForever("The beginning"), draft: saying("Never") });
    await withPlayground({ model }, async ({ page, send, answer, requested }) => {
      await send("Go");
      await page.getByText("The beginning").waitFor();
      await page.locator("#composer-text").fill("draft");
      await press(page, "Stop");
      const article = await answer();
      assertEquals(await article.getByText("Stopped.").count(), 1);
      // Whatever the click did besides has been done once the page has drawn twice.
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      assertEquals(await page.locator("#composer-text").inputValue(), "draft");
      assertEquals(requested.filter((address) => address.endsWith("/chat/completions")).length, 1);
      assertEquals(await page.locator(".message").count(), 2);
      assertEquals(await focused(page), isPhone ? COMPOSER : FIELD);
    }, isPhone ? PHONE : {});
  });
}

for (const [how, press, isPhone] of PRESSES.filter(([how]) => !how.includes("held") && !how.includes("two"))) {
  Deno.test(`playground's Send by ${how} keeps the focus`, async () => {
    const model = new ScriptedModel({ Go: sayingForever("The beginning") });
    await withPlayground({ model }, async ({ page }) => {
      await page.locator("#composer-text").fill("Go");
      await press(page, "Send");
      await page.getByText("The beginning").waitFor();
      assertEquals(await focused(page), isPhone ? COMPOSER : FIELD);
    }, isPhone ? PHONE : {});
  });
}

Deno.test("playground keeps the focus when an answer ends while Stop has it", async () => {
  const end = Promise.withResolvers<void>();
  const model = new ScriptedModel({
    async *Go() {
      yield "All";
      await end.promise;
    },
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await page.getByRole("button", { name: "Stop" }).focus();
    end.resolve();
    await answer();
    await page.getByRole("button", { name: "Send", exact: true }).waitFor();
    assertEquals(await focused(page), FIELD);
  });
});

Deno.test("playground leaves the focus elsewhere alone when an answer ends", async () => {
  const end = Promise.withResolvers<void>();
  const model = new ScriptedModel({
    async *Go() {
      yield "All";
      await end.promise;
    },
  });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await page.getByLabel("System prompt").focus();
    end.resolve();
    await answer();
    await page.getByRole("button", { name: "Send", exact: true }).waitFor();
    assertEquals(await page.evaluate("document.activeElement.id"), "field-system");
  });
});
