/** Finding the browser that the tests drive. */

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
export async function findChromium(): Promise<string> {
  const chosen = Deno.env.get("CHROMIUM_PATH");
  for (const path of chosen === undefined ? CANDIDATES : [chosen]) {
    if (await isFile(path)) return path;
  }
  throw new Error(
    `Cannot find Chromium at ${chosen ?? CANDIDATES.join(", ")}: install it, as by "apt-get install chromium", ` +
      "or set CHROMIUM_PATH",
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
