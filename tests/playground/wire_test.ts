import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { saying, ScriptedModel } from "./_models.ts";
import { withPlayground } from "./_page.ts";

/** What a tab's button copies, by a clipboard that is the page's own. */
async function copyOf(page: Page, tab: string): Promise<string> {
  await page.getByRole("tab", { name: tab }).click();
  await page.evaluate("globalThis.copied = undefined");
  await page.getByRole("tabpanel").getByRole("button", { name: "Copy" }).click();
  await page.getByRole("tabpanel").getByRole("button", { name: "Copied" }).waitFor();
  return await page.evaluate<string>("globalThis.copied");
}

/** What code for Node prints. */
async function runNode(code: string): Promise<string> {
  const file = await Deno.makeTempFile({ dir: new URL(".", import.meta.url).pathname, suffix: ".mjs" });
  try {
    await Deno.writeTextFile(file, code);
    const args = ["run", "-A", "--no-check", file];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(file);
  }
}

const OWN_CLIPBOARD = `
  Object.defineProperty(navigator, "clipboard", {
    value: { writeText: (text) => Promise.resolve(globalThis.copied = text) },
  });
`;

Deno.test("playground shows the request and the frames as they went over the wire", async () => {
  const model = new ScriptedModel({ Go: saying("Good ", "day") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.evaluate(OWN_CLIPBOARD);
    const sent = page.waitForRequest((request) => request.method() === "POST");
    await send("Go");
    const request = await sent;
    const response = await request.response();
    await answer();
    await page.getByRole("button", { name: "Request, frames and code" }).click();
    assertEquals(JSON.parse(await copyOf(page, "Request")), request.postDataJSON());
    assertEquals(await copyOf(page, "Frames"), (await response?.text())?.trimEnd());
    const shown = await page.getByTestId("wire").innerText();
    for (const text of ["HTTP 200", "content-type: text/event-stream", "data: [DONE]", " ms\n"]) {
      assertStringIncludes(shown, text);
    }
  });
});

Deno.test("playground's code makes the same request", async () => {
  const model = new ScriptedModel({ 'It\'s "quoted" $HOME `x` \\ é': saying("It worked") });
  await withPlayground({ model }, async ({ page, send, answer, url }) => {
    await page.evaluate(OWN_CLIPBOARD);
    await page.getByLabel("System prompt").fill("Line one\nLine two");
    await page.getByLabel("Custom inputs (JSON)").fill('{"yes": true, "nothing": null, "list": [1, {"a": []}]}');
    await page.getByLabel("Temperature").fill("0.5");
    await send('It\'s "quoted" $HOME `x` \\ é');
    await answer();
    await page.getByRole("button", { name: "Request, frames and code" }).click();

    const curl = await copyOf(page, "curl");
    const { stdout } = await new Deno.Command("sh", { args: ["-c", curl], stderr: "null" }).output();
    assertStringIncludes(new TextDecoder().decode(stdout), "data: [DONE]");
    assertEquals(model.seen[1], model.seen[0]);

    const node = await copyOf(page, "openai-node");
    assertEquals(await runNode(node), "It worked");
    assertEquals(model.seen[2], model.seen[0]);

    const python = await copyOf(page, "openai-python");
    for (
      const text of [
        `base_url="${url}v1"`,
        'api_key="none"',
        "temperature=0.5",
        "stream=True",
        '"content": "Line one\\nLine two"',
        "extra_body={",
        '"yes": True',
        '"nothing": None',
        '"a": []',
      ]
    ) assertStringIncludes(python, text);
  });
});

for (const stream of [true, false]) {
  Deno.test(`playground's code keeps several answers ${stream ? "of a stream" : "that come in one piece"} apart`, async () => {
    const piece = (index: number, content: string) => ({ choices: [{ index, delta: { content } }] });
    const model = new ScriptedModel({
      Go: saying(piece(1, "Green "), piece(0, "Red "), piece(1, "sea"), piece(0, "sky")),
    });
    await withPlayground({ model }, async ({ page, send, answer }) => {
      await page.evaluate(OWN_CLIPBOARD);
      await page.getByLabel("More request fields (JSON)").fill('{"n": 2}');
      if (!stream) await page.getByLabel("Stream the answer").uncheck();
      await send("Go");
      await answer();
      await page.getByRole("button", { name: "Request, frames and code" }).click();
      const printed = await runNode(await copyOf(page, "openai-node"));
      const [red, green] = [printed.indexOf("Red sky"), printed.indexOf("Green sea")];
      assert(red >= 0 && green > red, printed);
      const python = await copyOf(page, "openai-python");
      assertStringIncludes(python, stream ? "answers[choice.index] += " : "for choice in response.choices:");
      assert(!python.includes("choices[0]"), python);
    });
  });
}

Deno.test("playground shows the request that comes next, and never a key", async () => {
  await withPlayground({ demo: new DemoChatModel() }, async ({ page }) => {
    await page.evaluate(OWN_CLIPBOARD);
    await page.getByLabel("API key").fill("secret-key");
    await page.locator("#composer-text").fill("Not yet sent");
    await page.getByRole("button", { name: "Show the next request as code" }).click();
    assertEquals(await page.getByRole("tab").allInnerTexts(), ["Request", "curl", "openai-node", "openai-python"]);
    const all: string[] = [];
    for (const tab of ["Request", "curl", "openai-node", "openai-python"]) all.push(await copyOf(page, tab));
    for (const text of all) assert(text.includes("Not yet sent") && !text.includes("secret-key"), text);
    assertStringIncludes(all[1] ?? "", "authorization: Bearer $OPENAI_API_KEY");
    assertStringIncludes(all[2] ?? "", "process.env.OPENAI_API_KEY");
    assertStringIncludes(all[3] ?? "", 'os.environ["OPENAI_API_KEY"]');
  });
});

Deno.test("playground copies answers and code, also without the browser's clipboard", async () => {
  const model = new ScriptedModel({ Go: saying("Some\n\n```ts\nlet x = 1;\n```\n") });
  await withPlayground({ model }, async ({ page, send, answer }) => {
    await page.evaluate(OWN_CLIPBOARD);
    await send("Go");
    const article = await answer();
    await article.getByRole("button", { name: "Copy answer" }).click();
    await article.getByRole("button", { name: "Copied" }).waitFor();
    assertEquals(await page.evaluate("globalThis.copied"), "Some\n\n```ts\nlet x = 1;\n```\n");
    await article.getByRole("button", { name: "Copy", exact: true }).click();
    assertEquals(await page.evaluate("globalThis.copied"), "let x = 1;\n");
    // As where the page came over plain HTTP from another machine.
    await page.evaluate(`
      navigator.clipboard.writeText = () => Promise.reject(new Error("none"));
      document.execCommand = (command) => {
        globalThis.copied = command + ": " + document.activeElement.value;
        return true;
      };
    `);
    await page.getByRole("button", { name: "Copy message" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Copied" }).first().waitFor();
    assertEquals(await page.evaluate("globalThis.copied"), "copy: Go");
    assertEquals(await page.evaluate("document.activeElement.title"), "Copied");
  });
});
