/** The page at `/`. */
import type { AnswerHeaders } from "./_respond.ts";
import type { Route } from "./_router.ts";
import { VERSION } from "../_version.ts";

/** What the page is sent with, made when it is first asked for. */
interface Page {
  readonly text: string;
  readonly compressed: Uint8Array<ArrayBuffer>;
  readonly policy: string;
  readonly entityTag: string;
}

let page: Promise<Page> | undefined;

/** Answers browsers with the page to chat on, and all others with a line of text, as long as there is a page. */
export function makeRootRoute(options: { readonly playground: boolean }): Route {
  if (!options.playground) return greet;
  return (request, scope, headers, id) => {
    headers.push(["vary", "accept"]);
    return wantsPage(request) ? sendPage(request, headers) : greet(request, scope, headers, id);
  };
}

/**
 * Whether a page of this origin is the playground that came from this very server, by an address of numbers: a phone
 * in the same network opens it so. A name is not enough: whoever owns a name can make it point here.
 */
export function isOwnPage(origin: string, request: Request): boolean {
  return /^http:\/\/(\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\])(:\d+)?$/.test(origin) && request.url.startsWith(`${origin}/`);
}

const greet: Route = (_request, _scope, headers) => {
  headers.push(["content-type", "text/plain; charset=utf-8"]);
  return new Response(`chat-model ${VERSION} is running. OpenAI's API is at /v1, the models at /v1/models.\n`, {
    headers: headers.complete(),
  });
};

function wantsPage(request: Request): boolean {
  return request.headers.get("accept")?.includes("text/html") ?? false;
}

async function sendPage(request: Request, headers: AnswerHeaders): Promise<Response> {
  page ??= loadPage();
  const { text, compressed, policy, entityTag } = await page;
  headers.push(
    ["content-security-policy", policy],
    ["x-content-type-options", "nosniff"],
    ["referrer-policy", "no-referrer"],
    ["x-frame-options", "DENY"],
    ["cross-origin-resource-policy", "same-origin"],
    // Asked for anew each time, sent anew only when the package has changed.
    ["cache-control", "no-cache"],
    ["etag", entityTag],
    ["vary", "accept-encoding"],
  );
  if (request.headers.get("if-none-match")?.includes(entityTag)) {
    return new Response(null, { status: 304, headers: headers.complete() });
  }
  headers.push(["content-type", "text/html; charset=utf-8"]);
  if (!/\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) {
    return new Response(text, { headers: headers.complete() });
  }
  headers.push(["content-encoding", "gzip"]);
  return new Response(compressed, { headers: headers.complete() });
}

/** Not imported before it is wanted: it is a hundred times larger than the rest of a server's start needs. */
async function loadPage(): Promise<Page> {
  const { PAGE, PAGE_HASH, PAGE_POLICY } = await import("./_playground_page.ts");
  const stream = new Blob([PAGE]).stream().pipeThrough(new CompressionStream("gzip"));
  return {
    text: PAGE,
    compressed: new Uint8Array(await new Response(stream).arrayBuffer()),
    policy: PAGE_POLICY,
    entityTag: `"${PAGE_HASH.slice(0, 16)}"`,
  };
}
