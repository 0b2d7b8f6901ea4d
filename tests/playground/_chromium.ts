/** Finding and starting the browser that the tests drive. */
import type { Browser } from "playwright-core";

const CANDIDATES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * The path of a Chromium.
 *
 * @throws {Error} If there is none: a test that cannot run has not passed.
 */
export async function findChromium(chosen: string | undefined = Deno.env.get("CHROMIUM_PATH")): Promise<string> {
  for (const path of chosen === undefined ? CANDIDATES : [chosen]) {
    if (await isFile(path)) return path;
  }
  throw new Error(
    `Cannot find Chromium at ${chosen ?? CANDIDATES.join(", ")}: install it, as by "apt-get install chromium", ` +
      "or set CHROMIUM_PATH",
  );
}

/**
 * Starts a Chromium without a window. The caller closes it.
 *
 * @throws {Error} If there is none.
 */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const executablePath = await findChromium();
  const { chromium } = await importPlaywright();
  return await chromium.launch({ executablePath, args: ["--no-sandbox", ...args] });
}

/** While it is imported it looks for a Windows in /proc, which takes all permissions; unless this is set. */
async function importPlaywright(): Promise<typeof import("playwright-core")> {
  // Left as it is: tests that run beside this one share the environment.
  Deno.env.set("__IS_WSL_TEST__", "1");
  return await import("playwright-core");
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
