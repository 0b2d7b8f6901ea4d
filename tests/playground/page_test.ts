import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createApp } from "../../serving/app.ts";
import { parseFlags } from "../../serving/_flags.ts";
import { PAGE, PAGE_POLICY } from "../../serving/_playground_page.ts";
import { findDrift } from "../../serving/playground/build.ts";
import { findChromium } from "./_chromium.ts";
import { ScriptedModel } from "./_models.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

async function get(path: string, headers: HeadersInit, options: { playground?: boolean } = {}): Promise<Response> {
  const app = createApp({ model: new ScriptedModel({}) }, options);
  return await app.fetch(new Request(`http://127.0.0.1:8000${path}`, { headers }));
}

Deno.test("createApp() sends browsers the playground, and others a greeting", async () => {
  const page = await get("/", BROWSER);
  assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assertEquals(await page.text(), PAGE);
  for (const accept of ["*/*", "application/json", ""]) {
    const greeting = await get("/", { accept });
    assertEquals(greeting.headers.get("content-type"), "text/plain; charset=utf-8");
    assertMatch(await greeting.text(), /^chat-model [\d.]+ is running/);
    assertStringIncludes(greeting.headers.get("vary") ?? "", "accept");
  }
});

Deno.test("createApp() sends the playground with headers that confine it", async () => {
  const { headers } = await get("/", BROWSER);
  const policy = headers.get("content-security-policy") ?? "";
  assertEquals(policy, PAGE_POLICY);
  const directives = new Map(
    policy.split("; ").map((directive) => {
      const [name = "", ...values] = directive.split(" ");
      return [name, values.join(" ")];
    }),
  );
  for (const name of ["default-src", "base-uri", "form-action", "frame-ancestors"]) {
    assertEquals(directives.get(name), "'none'", name);
  }
  assertEquals(directives.get("connect-src"), "'self'");
  assertEquals(directives.get("img-src"), "data: blob:");
  for (const name of ["script-src", "style-src"]) assertMatch(directives.get(name) ?? "", /^'sha256-[\w+/]{43}='$/);
  assert(!policy.includes("unsafe"));
  assertEquals(headers.get("x-content-type-options"), "nosniff");
  assertEquals(headers.get("referrer-policy"), "no-referrer");
  assertEquals(headers.get("x-frame-options"), "DENY");
});

Deno.test("createApp() sends the playground compressed if that is understood, and not again if it is known", async () => {
  const compressed = await get("/", { ...BROWSER, "accept-encoding": "gzip, deflate, br" });
  assertEquals(compressed.headers.get("content-encoding"), "gzip");
  const stream = compressed.body?.pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(stream).text(), PAGE);
  const etag = compressed.headers.get("etag") ?? "";
  const known = await get("/", { ...BROWSER, "if-none-match": etag });
  assertEquals([known.status, await known.text()], [304, ""]);
  assertEquals(known.headers.get("content-security-policy"), PAGE_POLICY);
  const other = await get("/", { ...BROWSER, "if-none-match": '"other"' });
  assertEquals([other.status, await other.text()], [200, PAGE]);
});

Deno.test("createApp() has no playground when told so", async () => {
  const response = await get("/", BROWSER, { playground: false });
  assertEquals(response.headers.get("content-type"), "text/plain; charset=utf-8");
  await response.body?.cancel();
  assertEquals(parseFlags([]).playground, true);
  assertEquals(parseFlags(["--no-playground"]).playground, false);
});

Deno.test("createApp() lets the playground call when it was opened by an address of numbers", async () => {
  const app = createApp({ model: new ScriptedModel({}) });
  const bare = createApp({ model: new ScriptedModel({}) }, { playground: false });
  const cases: readonly [app: typeof app, host: string, origin: string, status: number][] = [
    [app, "192.168.1.5:8000", "http://192.168.1.5:8000", 200],
    [app, "[fe80::1]:8000", "http://[fe80::1]:8000", 200],
    [app, "192.168.1.5", "http://192.168.1.5", 200],
    // Another server of that machine's, another machine, a name that may have been made to point here.
    [app, "192.168.1.5:8000", "http://192.168.1.5:9000", 403],
    [app, "192.168.1.5:8000", "http://192.168.1.50:8000", 403],
    [app, "192.168.1.5:8000", "http://192.168.1.5", 403],
    [app, "evil.example:8000", "http://evil.example:8000", 403],
    [app, "1.2.3.4.evil.example", "http://1.2.3.4.evil.example", 403],
    [bare, "192.168.1.5:8000", "http://192.168.1.5:8000", 403],
  ];
  for (const [app, host, origin, status] of cases) {
    const response = await app.fetch(new Request(`http://${host}/v1/models`, { headers: { origin } }));
    await response.body?.cancel();
    assertEquals(response.status, status, `${origin} at ${host}`);
  }
});

Deno.test("playground's generated module is up to date", async () => {
  assertEquals(await findDrift(), undefined);
});

Deno.test("playground's page asks for nothing and ends its script where it should", () => {
  const withoutNotices = PAGE.replace(/<!--[^]*?-->/, "");
  assertEquals(withoutNotices.match(/<script/g)?.length, 1);
  assertEquals(withoutNotices.match(/<\/script/g)?.length, 1);
  // What stands before the script; what that loads, the browser's tests see.
  const head = withoutNotices.slice(0, withoutNotices.indexOf("<script"));
  assert(head.includes("<style>"));
  assert(!/<(?:link|img|iframe)[^>]*(?:src|href)="(?!data:)/.test(head));
  assert(!/@import|url\((?!"data:)/.test(head));
});

Deno.test("findChromium() fails and says how to get one when there is none", async () => {
  await assertRejects(() => findChromium("/nowhere/chromium"), Error, "apt-get install chromium");
});
