import { assertEquals, assertStringIncludes } from "@std/assert";
import { createApp } from "../../serving/app.ts";
import { listen } from "../../serving/listen.ts";
import { launchChromium } from "./_chromium.ts";
import { saying, ScriptedModel } from "./_models.ts";

Deno.test("playground works on another machine in the network, where browsers allow pages less", async () => {
  const model = new ScriptedModel({ Go: saying("From afar") });
  const server = await listen(createApp({ model }), { port: 0 });
  // Leads to this machine, but the browser does not know that.
  const browser = await launchChromium(["--host-resolver-rules=MAP 192.168.77.5 127.0.0.1, MAP box.test 127.0.0.1"]);
  try {
    const page = await browser.newPage();
    await page.goto(`http://192.168.77.5:${server.addr.port}/`);
    assertEquals(await page.evaluate("isSecureContext"), false);
    await page.locator("#field-model:not([disabled])").waitFor();
    await page.locator("#composer-text").fill("Go");
    await page.keyboard.press("Enter");
    await page.locator(".message.assistant.done").getByText("From afar").waitFor();
    await page.getByRole("button", { name: "Copy answer" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();

    // A name may have been made to point here by someone else's page: it has to be allowed.
    await page.goto(`http://box.test:${server.addr.port}/`);
    await page.locator("#field-model:not([disabled])").waitFor();
    await page.locator("#composer-text").fill("Go");
    await page.keyboard.press("Enter");
    assertStringIncludes(await page.getByTestId("error").innerText(), "--cors-origin");
    assertEquals(model.seen.length, 1);
  } finally {
    await browser.close();
    server.shutdown();
    await server.finished;
  }
});

Deno.test("playground works where the browser allows no storage", async () => {
  const model = new ScriptedModel({ Go: saying("Good day") });
  const server = await listen(createApp({ model }), { port: 0 });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.addInitScript(`
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(globalThis, name, { get() { throw new DOMException("Forbidden", "SecurityError"); } });
      }
    `);
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.locator("#field-model:not([disabled])").waitFor();
    await page.locator("#composer-text").fill("Go");
    await page.keyboard.press("Enter");
    await page.locator(".message.assistant.done").getByText("Good day").waitFor();
    await page.getByRole("button", { name: "Theme: system" }).click();
    await page.getByRole("button", { name: "Theme: light" }).waitFor();
  } finally {
    await browser.close();
    server.shutdown();
    await server.finished;
  }
});
