import { assertEquals, assertRejects } from "@std/assert";
import { ValidationError } from "../../../types/mod.ts";
import { fetchImage, type FetchImageOptions, isAllowedHost } from "../../../adapters/ollama/fetch_image.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PNG_BYTES = Uint8Array.from(atob(PNG), (c) => c.charCodeAt(0));

/** Fetches from a server that answers with a handler. */
async function fetchFrom(
  handler: (request: Request) => Response | Promise<Response>,
  options: Partial<FetchImageOptions> = {},
): Promise<string> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const url = new URL(`http://127.0.0.1:${server.addr.port}/a.png`);
  const { signal = new AbortController().signal } = options;
  return await fetchImage({ url, path: "messages.0.content.0.image_url.url" }, { ...options, signal });
}

Deno.test("fetchImage() gives an image in base64", async () => {
  assertEquals(await fetchFrom(() => new Response(PNG_BYTES)), PNG);
});

Deno.test("fetchImage() follows redirects within the host", async () => {
  const image = await fetchFrom((request) =>
    request.url.endsWith("/b.png")
      ? new Response(PNG_BYTES)
      : new Response(null, { status: 302, headers: { location: "/b.png" } })
  );
  assertEquals(image, PNG);
});

const FAILING: readonly (readonly [string, () => Response, string])[] = [
  ["a missing image", () => new Response("no", { status: 404 }), "was answered with status 404"],
  ["text", () => new Response("Hello, this is text"), "is no PNG"],
  ["nothing", () => new Response(null), "is no PNG"],
  ["an image that is said to be too large", () => new Response(new Uint8Array(2000)), "is larger than 1000 bytes"],
  [
    "an image that turns out to be too large",
    () => new Response(new Blob([new Uint8Array(2000)]).stream()),
    "is larger than 1000 bytes",
  ],
  [
    "a redirect to another host",
    () => new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } }),
    "redirects to another host",
  ],
  ["redirects in a circle", () => new Response(null, { status: 302, headers: { location: "/a.png" } }), "more than 3"],
];

for (const [name, handler, message] of FAILING) {
  Deno.test(`fetchImage() fails for ${name}`, async () => {
    const error = await assertRejects(() => fetchFrom(handler, { maxBytes: 1000 }), ValidationError, message);
    assertEquals([error.status, error.code, error.param], [
      400,
      "invalid_image_url",
      "messages.0.content.0.image_url.url",
    ]);
  });
}

Deno.test("fetchImage() fails for a host that is not there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assertRejects(
    () =>
      fetchImage({ url: new URL(`http://127.0.0.1:${port}/`), path: "p" }, { signal: new AbortController().signal }),
    ValidationError,
    "cannot be reached",
  );
});

/** A body that begins and never ends; tells when it is cancelled. */
function endless(onCancel: () => void): Response {
  return new Response(
    new ReadableStream({ start: (controller) => controller.enqueue(PNG_BYTES), cancel: onCancel }),
  );
}

Deno.test("fetchImage() gives up after its time", async () => {
  const cancelled = Promise.withResolvers<void>();
  await assertRejects(
    () => fetchFrom(() => endless(cancelled.resolve), { timeout: 50 }),
    ValidationError,
    "took more than 50 ms",
  );
  await cancelled.promise;
});

Deno.test("fetchImage() rejects with the signal's reason and closes the connection", async () => {
  const cancelled = Promise.withResolvers<void>();
  const controller = new AbortController();
  const reason = new Error("No longer wanted");
  const result = fetchFrom(() => {
    setTimeout(() => controller.abort(reason), 20);
    return endless(cancelled.resolve);
  }, { signal: controller.signal }).catch((error) => error);
  assertEquals(await result, reason);
  await cancelled.promise;
});

Deno.test("isAllowedHost() compares names, with a port if one is given", () => {
  const url = new URL("https://Images.example.com:8443/a.png");
  assertEquals(isAllowedHost(url, ["images.EXAMPLE.com"]), true);
  assertEquals(isAllowedHost(url, ["images.example.com:8443"]), true);
  assertEquals(isAllowedHost(url, ["images.example.com:443", "example.com", "images.example.com.evil.org"]), false);
  assertEquals(isAllowedHost(url, []), false);
});
