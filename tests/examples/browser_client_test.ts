/** The page of `examples/13_browser_client.html`, in a browser, at an origin of its own. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { ChatModelError } from "../../mod.ts";
import { createApp } from "../../serving/app.ts";
import { listen } from "../../serving/listen.ts";
import { launchChromium } from "../playground/_chromium.ts";
import { saying, sayingForever, ScriptedModel } from "../playground/_models.ts";
import { ROOT } from "../support/command.ts";
import { argsOf, startExample } from "./_example.ts";

const FILE = "13_browser_client.html";
/** Where the page looks for its server. */
const WRITTEN_SERVER = "http://127.0.0.1:8000";
/** A name that the browser finds on this machine, and the server knows nothing of. */
const FOREIGN = "page.example";

/** Serves the page as any web server would, but for where it finds its server, and opens it. */
async function withPage(server: string, test: (page: Page) => Promise<void>, host = "127.0.0.1"): Promise<void> {
  const source = await Deno.readTextFile(`${ROOT}examples/${FILE}`);
  assertEquals(source.split(`"${WRITTEN_SERVER}"`).length, 2);
  const pages = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      new Response(source.replace(WRITTEN_SERVER, serverOf(request) ?? server), {
        headers: { "content-type": "text/html; charset=utf-8" },
      }),
  );
  const browser = await launchChromium([`--host-resolver-rules=MAP ${FOREIGN} 127.0.0.1`]);
  try {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(10_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`http://${host}:${pages.addr.port}/${FILE}`);
    await test(page);
    assertEquals(complaints, []);
  } finally {
    await browser.close();
    await pages.shutdown();
  }
}

/** Another server than the first, where a test has two. */
function serverOf({ url }: Request): string | null {
  return new URL(url).searchParams.get("server");
}

async function send(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Question" }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** Serves a scripted model in place of the demo model. */
async function withModel(model: ScriptedModel, test: (url: string) => Promise<void>): Promise<void> {
  const app = createApp({ model }, { onError() {} });
  const server = await listen(app, { port: 0 });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    app.abort(new Error("The test is over"));
    server.shutdown();
    await server.finished;
  }
}

Deno.test(`examples/${FILE} shows the answer of the server of its first line`, async () => {
  await using example = await startExample(FILE);
  await withPage(example.url, async (page) => {
    assertEquals(await page.evaluate("document.compatMode"), "CSS1Compat");
    await send(page, "Hi <b>there</b>");
    await page.locator("#answer", { hasText: "You said: Hi <b>there</b>" }).waitFor();
    await page.locator("#stop:disabled").waitFor();
    assertEquals(await page.locator("#status").innerText(), "");
  });
});

Deno.test(`examples/${FILE} shows the answer as it comes, stops the model, and goes on with the conversation`, async () => {
  const model = new ScriptedModel({
    Go: sayingForever("The begin", "ning"),
    One: saying("First"),
    Two: saying("Second"),
  });
  await withModel(model, (url) =>
    withPage(url, async (page) => {
      await send(page, "Go");
      await page.getByText("The beginning").waitFor();
      assertEquals(model.aborts.length, 0);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Stopped.").waitFor();
      const end = performance.now() + 5_000;
      while (model.aborts.length === 0) {
        assert(performance.now() < end, "the model's signal did not fire");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assertEquals(await page.locator("#answer").innerText(), "The beginning");

      await send(page, "One");
      await page.getByText("First").waitFor();
      await page.locator("#stop:disabled").waitFor();
      await send(page, "Two");
      await page.getByText("Second").waitFor();
      assertEquals(model.seen.at(-1)?.messages.map(({ content }) => content), ["One", "First", "Two"]);
    }));
});

Deno.test(`examples/${FILE} shows errors, before the first word and after it`, async () => {
  const fail = () => {
    throw new ChatModelError("Cannot answer: out of words");
  };
  const model = new ScriptedModel({
    Never: fail,
    Half: async function* () {
      yield "Half";
      await new Promise((resolve) => setTimeout(resolve, 50));
      fail();
    },
  });
  await withModel(model, (url) =>
    withPage(url, async (page) => {
      await send(page, "Never");
      await page.locator("#status", { hasText: "Cannot answer: out of words" }).waitFor();
      assertEquals(await page.locator("#answer").innerText(), "");
      await send(page, "Half");
      await page.locator("#answer", { hasText: "Half" }).waitFor();
      await page.locator("#status", { hasText: "Cannot answer: out of words" }).waitFor();
    }));
});

Deno.test(`examples/${FILE} works at another origin only where the server allows it`, async () => {
  await using closed = await startExample(FILE);
  // A page that is opened as a file has this origin.
  const response = await fetch(`${closed.url}/v1/models`, { headers: { origin: "null" } });
  assertEquals([response.status, (await response.json()).error.code], [403, "origin_not_allowed"]);
  await withPage(closed.url, async (page) => {
    await send(page, "Hi");
    await page.locator("#status", { hasText: "Failed to fetch" }).waitFor();
  }, FOREIGN);
  await withPage(closed.url, async (page) => {
    const { origin } = new URL(page.url());
    await using open = await startExample(FILE, undefined, [...argsOf(FILE), "--cors-origin", origin]);
    await page.goto(`${origin}/${FILE}?server=${open.url}`);
    await send(page, "Hi");
    await page.locator("#answer", { hasText: "You said: Hi" }).waitFor();
  }, FOREIGN);
});
