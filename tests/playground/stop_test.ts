import { assert, assertEquals } from "@std/assert";
import { saying, sayingForever, ScriptedModel } from "./_models.ts";
import { type Playground, withPlayground } from "./_page.ts";

async function aborted(model: ScriptedModel): Promise<void> {
  const end = performance.now() + 5_000;
  while (model.aborts.length === 0) {
    assert(performance.now() < end, "the model's signal did not fire");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const STOPS: readonly [how: string, stop: (playground: Playground) => Promise<void>][] = [
  ["the button", ({ page }) => page.getByRole("button", { name: "Stop" }).click()],
  ["Escape", ({ page }) => page.keyboard.press("Escape")],
];

for (const [how, stop] of STOPS) {
  Deno.test(`playground stops the model by ${how}, and goes on from what was said`, async () => {
    const model = new ScriptedModel({ Go: sayingForever("The beginning"), On: saying("The rest") });
    await withPlayground({ model }, async (playground) => {
      const { page, send, answer } = playground;
      await send("Go");
      await page.getByText("The beginning").waitFor();
      await stop(playground);
      await aborted(model);
      const article = await answer();
      assertEquals(await article.getByText("Stopped.").count(), 1);
      assertEquals(await page.getByTestId("announcement").innerText(), "Answer stopped");
      await send("On");
      await answer(2);
      assertEquals(model.seen.at(-1)?.messages.map(({ content }) => content), ["Go", "The beginning", "On"]);
    });
  });
}

Deno.test("playground stops before the first word, too", async () => {
  const model = new ScriptedModel({ Go: sayingForever(), On: saying("Fine") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await page.getByRole("img", { name: "Waiting for the answer" }).waitFor();
    await page.keyboard.press("Escape");
    await aborted(model);
    await answer();
    await send("On");
    await answer(2);
    // Nothing was said, so there is nothing to hand on.
    assertEquals(model.seen.at(-1)?.messages.map(({ content }) => content), ["Go", "On"]);
  });
});

Deno.test("playground stops the model when a new chat is begun", async () => {
  const model = new ScriptedModel({ Go: sayingForever("The beginning"), On: saying("Fresh") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await send("Go");
    await page.getByText("The beginning").waitFor();
    await page.getByRole("button", { name: "New chat" }).click();
    await send("On");
    assertEquals(await (await answer()).getByTestId("markdown").innerText(), "Fresh");
    await aborted(model);
    assertEquals(await page.locator(".message").count(), 2);
  });
});

Deno.test("playground keeps an answer running when Escape closes a dialog", async () => {
  const model = new ScriptedModel({ Go: sayingForever("The beginning") });
  await withPlayground({ model }, async ({ page, send }) => {
    await send("Go");
    await page.getByText("The beginning").waitFor();
    await page.getByRole("button", { name: "Show the next request as code" }).click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assertEquals(await page.getByRole("button", { name: "Stop" }).count(), 1);
    assertEquals(model.aborts, []);
  });
});

Deno.test("playground does not send while an answer is being made", async () => {
  const model = new ScriptedModel({ Go: sayingForever("The beginning") });
  await withPlayground({ model }, async ({ page, send }) => {
    await send("Go");
    await page.getByText("The beginning").waitFor();
    await send("More");
    assertEquals(await page.locator("#composer-text").inputValue(), "More");
    assertEquals(model.seen.length, 1);
  });
});
