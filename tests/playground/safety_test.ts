import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { ChatModelError } from "../../mod.ts";
import { saying, ScriptedModel } from "./_models.ts";
import { withPlayground } from "./_page.ts";

/** Runs if markup is taken for markup. */
const IMAGE = '<img src=x onerror="globalThis.pwned=1">';

const ATTACKS: readonly string[] = [
  IMAGE,
  "<script>globalThis.pwned=1</script>",
  "text <b onmouseover=globalThis.pwned=1>bold</b> <style>*{display:none}</style>",
  '<svg onload="globalThis.pwned=1"><animate onbegin="globalThis.pwned=1" attributeName=x></svg>',
  '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe><object data="javascript:pwned=1"></object>',
  '<form action="javascript:globalThis.pwned=1"><button>Go</button><input autofocus onfocus="globalThis.pwned=1">',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=globalThis.pwned=1&gt;">',
  '<a href="javascript:globalThis.pwned=1">click</a> <base href="https://evil.example/"><meta http-equiv=refresh content=0>',
  "[a](javascript:globalThis.pwned=1) [b](JaVaScRiPt:globalThis.pwned=1) [c](<\tjavascript:globalThis.pwned=1>)",
  "[d](data:text/html,<script>opener.pwned=1</script>) [e](vbscript:x) [f](file:///etc/passwd) [g](blob:x)",
  "<javascript:globalThis.pwned=1> [h][r] [i](&#106;avascript:globalThis.pwned=1)\n\n[r]: javascript:globalThis.pwned=1",
  '[j](https://example.com/" onclick="globalThis.pwned=1 "x\\" onclick=\\"globalThis.pwned=1")',
  '![alt](https://evil.example/steal.png) ![k](javascript:globalThis.pwned=1) ![l](x" onerror="globalThis.pwned=1)',
  '```"><img src=x onerror=globalThis.pwned=1>\ncode </code></pre><img src=x onerror=globalThis.pwned=1>\n```',
  "| <img src=x onerror=globalThis.pwned=1> |\n|---|\n| <script>globalThis.pwned=1</script> |",
  "- [x] <img src=x onerror=globalThis.pwned=1>\n# <img src=x onerror=globalThis.pwned=1>",
  "`<img src=x onerror=globalThis.pwned=1>` <!-- <img src=x onerror=globalThis.pwned=1> --> <![CDATA[<script>]]>",
];

/** What only markup could have brought into the conversation. */
const FOREIGN =
  ".message :is(script, style, iframe, object, embed, form, img, base, meta, math, link, video, audio), " +
  ".message [onerror], .message [onclick], .message [onload], .message [style], .message a[href]:not([href^='http'])";

Deno.test("playground runs nothing of what a model writes", async () => {
  const script = Object.fromEntries(ATTACKS.map((text, index) => [`attack ${index}`, saying(text)]));
  const model = new ScriptedModel(script);
  await withPlayground({ model }, async ({ page, send, answer, requested }) => {
    for (const [index, text] of ATTACKS.entries()) {
      await send(`attack ${index}`);
      await answer(index + 1);
      assertEquals(await page.locator(FOREIGN).count(), 0, text);
    }
    // Drawn again from what was kept.
    await page.reload();
    await answer(ATTACKS.length);
    assertEquals(await page.locator(FOREIGN).count(), 0);
    for (const link of await page.locator(".message a[href]").all()) {
      assertEquals(await link.getAttribute("rel"), "noopener noreferrer");
    }
    assertEquals(await page.evaluate("globalThis.pwned ?? null"), null);
    assertEquals(requested.filter((address) => address.includes("evil")), []);
    // Shown as it was written: that is what one asks a model about.
    assert((await page.locator(".message.assistant").first().innerText()).includes(IMAGE));
  });
});

Deno.test("playground shows a link that leads nowhere as text, with what it holds", async () => {
  const model = new ScriptedModel({
    Go: saying(
      "[one **bold**](javascript:alert(1)) [two](/here) [three]() ![four](data:image/png;base64,AA) " +
        "[![five](/x.png)](ftp://example.com) [six](https://example.com/) [seven](mailto:a@example.com)",
    ),
  });
  await withPlayground({ model }, async ({ send, answer }) => {
    await send("Go");
    const text = (await answer()).getByTestId("markdown");
    assertEquals(await text.innerText(), "one bold two three four five six seven");
    assertEquals(await text.locator("strong").innerText(), "bold");
    assertEquals(
      await text.locator("a").evaluateAll((links) => links.map((link) => link.getAttribute("href"))),
      ["https://example.com/", "mailto:a@example.com"],
    );
  });
});

Deno.test("playground runs nothing of what comes in names, errors, thoughts and outputs", async () => {
  const model = new ScriptedModel({
    [IMAGE]: saying(
      { reasoning: IMAGE },
      { refusal: IMAGE },
      { tool_calls: [{ id: IMAGE, type: "function", function: { name: IMAGE, arguments: IMAGE } }] },
      { finish_reason: "tool_calls", custom_outputs: { [IMAGE]: IMAGE } },
    ),
    "tool result": saying(IMAGE),
    // deno-lint-ignore require-yield -- fails before it says anything
    async *fail() {
      throw new ChatModelError(IMAGE, { code: IMAGE, type: IMAGE, param: IMAGE });
    },
  });
  await withPlayground({ [IMAGE]: model }, async ({ page, send, answer }) => {
    await page.locator("input[type=file]").setInputFiles({
      name: IMAGE,
      mimeType: "image/png",
      buffer: Buffer.from("no image at all"),
    });
    await send(IMAGE);
    const article = await answer();
    await article.getByRole("button", { name: "Reasoning" }).click();
    await article.getByText("Custom outputs").click();
    for (
      const part of [".reasoning-text", ".refusal", ".tool-name", ".tool-id", ".tool-input", "details pre", ".speaker"]
    ) {
      const text = await article.locator(part).innerText();
      assert(text.includes("<img src=x"), `${part}: ${text}`);
    }
    await article.getByRole("textbox").fill(IMAGE);
    await article.getByRole("button", { name: "Send result" }).click();
    await answer(2);
    await send("fail");
    await answer(3);
    assert((await page.getByTestId("error").innerText()).includes(IMAGE));
    await page.getByRole("button", { name: "Request, frames and code" }).last().click();
    for (const tab of await page.getByRole("tab").all()) await tab.click();
    await page.keyboard.press("Escape");
    // The user's own picture is the only one.
    assertEquals(await page.locator(`${FOREIGN}, img`).count(), 1);
    assertEquals(await page.evaluate("globalThis.pwned ?? null"), null);
  });
});

Deno.test("playground's policy stops scripts, styles, images and requests that are not its own", async () => {
  let asked = 0;
  const elsewhere = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    asked++;
    return new Response("", { headers: { "access-control-allow-origin": "*" } });
  });
  const address = `http://127.0.0.1:${elsewhere.addr.port}`;
  await withPlayground({ model: new ScriptedModel({}) }, async ({ page, requested, complaints, violations }) => {
    await page.evaluate(`{
      const add = (tag, properties) => {
        try {
          document.body.append(Object.assign(document.createElement(tag), properties));
        } catch (error) {
          globalThis.refused = error.name;
        }
      };
      add("script", { textContent: "globalThis.pwned = 1" });
      add("style", { textContent: "body { color: red }" });
      add("img", { src: "${address}/x.png" });
      fetch("${address}").catch(() => {});
    }`);
    await page.waitForFunction("globalThis.violations.length >= 4");
    const directives = (await violations()).map((violation) => violation.split(" ")[0]);
    for (const name of ["require-trusted-types-for", "style-src-elem", "img-src", "connect-src"]) {
      assert(directives.includes(name), `${name} in ${directives.join()}`);
    }
    assertEquals(await page.evaluate("[globalThis.pwned ?? null, globalThis.refused]"), [null, "TypeError"]);
    assertEquals(asked, 0);
    // What was provoked is no fault of the page's.
    await page.evaluate("globalThis.violations.length = 0");
    complaints.splice(0);
    requested.splice(0);
  });
  await elsewhere.shutdown();
});
