import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { saying, ScriptedModel } from "./_models.ts";
import { type Playground, withPlayground } from "./_page.ts";

/** One pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/** What the mouse or the clipboard would do, in the browser's words. */
const BRING = `
  const bytes = Uint8Array.from(atob("${PNG}"), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "dot.png", { type: "image/png" }));
  const field = document.querySelector("#composer-text");
`;

const WAYS: readonly [way: string, bring: (playground: Playground) => Promise<unknown>][] = [
  ["chosen", ({ page }) =>
    page.locator("input[type=file]").setInputFiles({
      name: "dot.png",
      mimeType: "image/png",
      buffer: Buffer.from(PNG, "base64"),
    })],
  ["dropped", ({ page }) =>
    page.evaluate(`{${BRING}
      field.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true }));
      field.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }`)],
  ["pasted", ({ page }) =>
    page.evaluate(`{${BRING}
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }`)],
];

for (const [way, bring] of WAYS) {
  Deno.test(`playground sends an image that was ${way}`, async () => {
    const model = new ScriptedModel({ "What is it?": saying("A dot") });
    await withPlayground({ model }, async (playground) => {
      const { page, send, answer } = playground;
      await bring(playground);
      await page.getByRole("img", { name: "dot.png" }).waitFor();
      await send("What is it?");
      await answer();
      assertEquals(model.seen[0]?.messages, [{
        role: "user",
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      }]);
      const shown = page.locator(".message.user img");
      assertEquals(await shown.getAttribute("alt"), "dot.png");
      assertEquals(await shown.evaluate((image) => "naturalWidth" in image && image.naturalWidth), 1);
      assertEquals(await page.locator(".composer img").count(), 0);
    });
  });
}

Deno.test("playground keeps what there is room for, and says when there is none", async () => {
  const model = new ScriptedModel({ One: saying("First"), Two: saying("Second") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    const add = (name: string, size: number) =>
      page.locator("input[type=file]").setInputFiles({ name, mimeType: "image/png", buffer: Buffer.alloc(size) });
    const told = page.getByText("This conversation is too large to be kept");
    // Twice, in the message and in the request, is more than there is room for; once is not.
    await add("large.png", 2_400_000);
    await page.getByRole("img", { name: "large.png" }).waitFor();
    await send("One");
    await answer();
    await page.reload();
    await page.getByText("First", { exact: true }).waitFor();
    assertEquals(await page.getByRole("img", { name: "large.png" }).count(), 1);
    assertEquals(await page.getByRole("button", { name: "Request, frames and code" }).count(), 0);
    await add("too_large.png", 4_000_000);
    await page.getByRole("img", { name: "too_large.png" }).waitFor();
    await send("Two");
    await answer(2);
    await told.waitFor();
    assertEquals(model.seen.length, 2);
    await page.reload();
    await page.getByRole("heading", { name: "What would you like to ask?" }).waitFor();
  });
});

Deno.test("playground refuses what is no image, and removes one that is not wanted", async () => {
  const model = new ScriptedModel({});
  await withPlayground({ model }, async ({ page }) => {
    const chooser = page.locator("input[type=file]");
    await chooser.setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("x") });
    await page.getByText('Cannot add "notes.txt": images must be PNG, JPEG, GIF or WebP').waitFor();
    await chooser.setInputFiles({ name: "a.png", mimeType: "image/png", buffer: Buffer.from(PNG, "base64") });
    await page.getByRole("button", { name: "Remove image a.png" }).click();
    assertEquals(await page.locator(".composer img").count(), 0);
    assertEquals(await page.evaluate("document.activeElement.id"), "composer-text");
  });
});
