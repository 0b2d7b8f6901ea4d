/**
 * Writes `serving/_playground_page.ts`, which holds the whole page as text: a published package cannot read its own
 * files, and the page's libraries are needed for building it only.
 *
 * Run it by `deno task generate`. With `--check` it writes nothing, and fails if the module is out of date: it compares
 * a hash of the sources and one of the page, so that it needs neither the network nor the same bundler.
 */
import { fromFileUrl } from "@std/path";
import { encodeBase64, sha256 } from "./hash.ts";

const FOLDER = new URL("./", import.meta.url);
const TARGET = new URL("../_playground_page.ts", import.meta.url);

/** Style sheets, in the order of the cascade. */
const STYLES = ["base", "controls", "layout", "message", "markdown", "composer", "dialog"];

/** A hash of everything the page is made of; the libraries' versions stand in `deno.json`. */
export async function hashSources(): Promise<string> {
  const paths = (await sourcePaths(FOLDER)).sort();
  const parts = await Promise.all(
    paths.map(async (path) => `${path}\n${await readSource(path)}`),
  );
  return await sha256(parts.join("\n"));
}

/** Why the generated module is out of date; `undefined` if it is not. */
export async function findDrift(): Promise<string | undefined> {
  const { PAGE, PAGE_POLICY, SOURCE_HASH, PAGE_HASH } = await import("../_playground_page.ts");
  if (SOURCE_HASH !== await hashSources()) return "the playground's sources have changed since it was made";
  if (PAGE_HASH !== await sha256(PAGE_POLICY + PAGE)) return "it has been changed by hand";
  return undefined;
}

/** A source's text, with the ends of lines that the repository has, whatever a checkout made of them. */
async function readSource(path: string): Promise<string> {
  return (await Deno.readTextFile(new URL(path, FOLDER))).replaceAll("\r\n", "\n");
}

async function sourcePaths(folder: URL, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) paths.push(...await sourcePaths(new URL(`${name}/`, folder), `${prefix}${name}/`));
    else if (/\.(tsx?|css|html|json|txt)$/.test(name)) paths.push(prefix + name);
  }
  return paths;
}

async function generate(): Promise<string> {
  const script = await bundleScript();
  const style = await bundleStyle();
  const template = await readSource("page.html");
  const notices = await readSource("notices.txt");
  // The formatter may have put space around the places; the policy's hashes are of what stands there without any.
  const page = template
    .replace("<!-- NOTICES -->", () => `<!--\n${notices.trim()}\n-->`)
    .replace(/\s*\/\* STYLE \*\/\s*/, () => style)
    .replace(/\s*\/\* SCRIPT \*\/\s*/, () => script);
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${encodeBase64(await sha256(script))}'`,
    `style-src 'sha256-${encodeBase64(await sha256(style))}'`,
    "connect-src 'self'",
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types dompurify",
  ].join("; ");
  return `// Generated from playground/ by \`deno task generate\`: edit that.
// deno-fmt-ignore-file
// deno-lint-ignore-file

/** SHA-256 of the sources. */
export const SOURCE_HASH: string = "${await hashSources()}";

/** SHA-256 of the policy and the page. */
export const PAGE_HASH: string = "${await sha256(policy + page)}";

/** What the page may do: run its own script and style, known by their hashes, and speak to its own server. */
export const PAGE_POLICY: string = ${JSON.stringify(policy)};

/** The page. */
export const PAGE: string = ${JSON.stringify(page)};
`;
}

async function bundleScript(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", fromFileUrl(new URL("main.tsx", FOLDER))],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot bundle the playground: ${new TextDecoder().decode(stderr)}`);
  const script = new TextDecoder().decode(stdout);
  // Either would change how a browser reads what follows in the page.
  const safe = script.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  if (/<\/script|<!--/i.test(safe)) throw new Error("Cannot embed the playground's script: it holds an HTML tag");
  return safe;
}

async function bundleStyle(): Promise<string> {
  const files = STYLES.map((name) => readSource(`styles/${name}.css`));
  const text = (await Promise.all(files)).join("");
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/\s*\n\s*/g, " ").replaceAll(/\s*([{};,])\s*/g, "$1")
    .replaceAll(/: (?=[^{}]*[;}])/g, ":").replaceAll(";}", "}").trim();
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) {
    const drift = await findDrift();
    if (drift !== undefined) {
      // deno-lint-ignore no-console -- a command talks to its user
      console.error(`error: serving/_playground_page.ts is out of date: ${drift}. Run deno task generate`);
      Deno.exit(1);
    }
  } else {
    const text = await generate();
    await Deno.writeTextFile(TARGET, text);
    const compressed = new Response(text).body?.pipeThrough(new CompressionStream("gzip"));
    const { byteLength } = await new Response(compressed).arrayBuffer();
    // deno-lint-ignore no-console -- a command talks to its user
    console.log(`serving/_playground_page.ts: ${new TextEncoder().encode(text).length} bytes, ${byteLength} gzipped`);
  }
}
