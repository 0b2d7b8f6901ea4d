/** A server with the page, and a browser that looks at it. */
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { createApp } from "../../serving/app.ts";
import type { AppModels, ModelDirectory } from "../../serving/directory.ts";
import { listen } from "../../serving/listen.ts";
import { launchChromium } from "./_chromium.ts";

/** What the tests use. */
export interface Playground {
  readonly page: Page;
  readonly url: string;
  /** Addresses of everything the page asked for, itself included. */
  readonly requested: string[];
  /** What the browser's console said, and errors nobody caught. */
  readonly complaints: string[];
  /** Types a message and sends it. */
  send(text: string): Promise<void>;
  /** Waits until that many answers are there and none is being made; gives the last. */
  answer(count?: number): Promise<Locator>;
  /** What the browser refused to do for the sake of the page's policy. */
  violations(): Promise<string[]>;
  /** Stops the server. */
  stopServer(): Promise<void>;
}

/** A phone. */
export const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** Opens the page, has it tested, and checks that it asked nobody else, broke no rule and hit no error. */
export async function withPlayground(
  models: AppModels | ModelDirectory,
  test: (playground: Playground) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const app = createApp(models, { onError() {} });
  const server = await listen(app, { port: 0 });
  let stopping: Promise<void> | undefined;
  const stopServer = (): Promise<void> => {
    app.abort(new Error("The test is over"));
    server.shutdown();
    return stopping ??= server.finished;
  };
  const url = `http://127.0.0.1:${server.addr.port}/`;
  let browser: Browser | undefined;
  try {
    browser = await launchChromium();
    const context = await browser.newContext({
      reducedMotion: "reduce",
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const requested: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => requested.push(request.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // A status such as 400 is no fault of the page's.
      if (!message.text().startsWith("Failed to load resource")) complaints.push(message.text());
    });
    await page.addInitScript(WATCH_VIOLATIONS);
    await page.goto(url);
    await page.locator("#field-model:not([disabled]), .model-failed").waitFor();
    const playground: Playground = {
      page,
      url,
      requested,
      complaints,
      async send(text) {
        await page.locator("#composer-text").fill(text);
        await page.locator("#composer-text").press("Enter");
      },
      async answer(count = 1) {
        const answers = page.locator(".message.assistant:not(.waiting):not(.streaming)");
        await answers.nth(count - 1).waitFor();
        return answers.nth(count - 1);
      },
      violations: () => page.evaluate("globalThis.violations"),
      stopServer,
    };
    await test(playground);
    assertEquals(await playground.violations(), []);
    assertEquals(complaints, []);
    assertEquals(requested.filter((address) => !address.startsWith(url) && !address.startsWith("data:")), []);
  } finally {
    await browser?.close();
    await stopServer();
  }
}

const WATCH_VIOLATIONS = `
  globalThis.violations = [];
  addEventListener("securitypolicyviolation", (event) => {
    globalThis.violations.push(event.effectiveDirective + " " + event.blockedURI);
  });
`;
