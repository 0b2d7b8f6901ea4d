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
 * The path of a Chromium. On a Debian where that is allowed it is installed if there is none, so that the tests need no
 * set-up of their own.
 *
 * @throws {Error} If there is none: a test that cannot run has not passed.
 */
export async function findChromium(chosen: string | undefined = Deno.env.get("CHROMIUM_PATH")): Promise<string> {
  const found = await firstFile(chosen === undefined ? CANDIDATES : [chosen]);
  if (found !== undefined) return found;
  if (chosen === undefined && Deno.uid() === 0 && await isFile("/usr/bin/apt-get")) {
    await installChromium();
    const installed = await firstFile(CANDIDATES);
    if (installed !== undefined) return installed;
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

/** Test files run side by side: one of them installs, the others wait for it. */
async function installChromium(): Promise<void> {
  using lock = await Deno.open("/tmp/chat-model-chromium.lock", { create: true, write: true });
  await lock.lock(true);
  if (await firstFile(CANDIDATES) !== undefined) return;
  for (const args of [["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]]) {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const { success, stderr } = await new Deno.Command("apt-get", { args, env, stdout: "null" }).output();
    if (!success) throw new Error(`Cannot install Chromium: ${new TextDecoder().decode(stderr)}`);
  }
}

/** While it is imported it looks for a Windows in /proc, which takes all permissions; unless this is set. */
async function importPlaywright(): Promise<typeof import("playwright-core")> {
  // Left as it is: tests that run beside this one share the environment.
  Deno.env.set("__IS_WSL_TEST__", "1");
  return await import("playwright-core");
}

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFile(path)) return path;
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
