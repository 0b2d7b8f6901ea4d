import { ChatModelError } from "../../types/mod.ts";
import { readEnv } from "../_http/read_env.ts";
import type { OpenAIClientOptions } from "./client_options.ts";

/** Where the key of the environment belongs if the environment does not say otherwise. */
const OPENAI = "https://api.openai.com/v1";

/** Headers that hold secrets, beside `authorization`. */
const SECRET_HEADER = /authorization|key|token|secret|cookie/i;

/** Where the API is, and what is sent with every call. */
export class Endpoint {
  /** Base URL as it may be shown: without its query, which may hold a key, and without a slash at its end. */
  readonly url: string;
  /** Headers of every call. An object rather than `Headers`, which a fetch takes apart anew each time. */
  readonly headers: Record<string, string>;
  readonly #query: string;
  readonly #secrets: readonly string[];

  constructor({ baseUrl, apiKey, headers }: Pick<OpenAIClientOptions, "baseUrl" | "apiKey" | "headers">) {
    const ownUrl = readEnv("OPENAI_BASE_URL") || OPENAI;
    const url = parseUrl(baseUrl ?? ownUrl);
    this.url = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
    this.#query = url.search;
    // The key of the environment belongs to the server of the environment: no other may see it.
    const isOwn = URL.parse(ownUrl)?.origin === url.origin;
    const key = apiKey ?? (isOwn ? readEnv("OPENAI_API_KEY") : undefined);
    this.headers = makeHeaders(key, headers);
    const inQuery = [...url.searchParams.values(), ...url.search.split(/[?&=]/)];
    this.#secrets = [key ?? "", ...secretsOf(this.headers), ...inQuery]
      // Shorter ones are none, and would turn up everywhere.
      .filter((secret) => secret.length >= 8);
  }

  /** The URL of a route. */
  to(path: string): string {
    return `${this.url}${path}${this.#query}`;
  }

  /** Hides what is secret in a text of the server's: some repeat the key that they refuse. */
  hide(text: string): string {
    let hidden = text;
    for (const secret of this.#secrets) hidden = hidden.replaceAll(secret, "<secret>");
    // OpenAI itself shows the ends of a key it does not know.
    return hidden.replace(/\bsk-[\w*.-]{4,}/g, "<secret>");
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  const fault = url === null || (url.protocol !== "http:" && url.protocol !== "https:")
    ? 'is no URL. Write it as in "http://127.0.0.1:8080/v1"'
    : url.username !== "" || url.password !== ""
    ? "must not hold user and password. Give the header 'authorization' in 'headers'"
    : undefined;
  if (url !== null && fault === undefined) return url;
  // The text is not repeated, as keys stand in some.
  throw new ChatModelError(`Cannot use the base URL of an OpenAI-compatible server: it ${fault}`, {
    code: "invalid_option",
    param: "baseUrl",
  });
}

function makeHeaders(key: string | undefined, headers: HeadersInit | undefined): Record<string, string> {
  let param = "apiKey";
  try {
    const made = new Headers({ "content-type": "application/json" });
    if (key) made.set("authorization", `Bearer ${key}`);
    param = "headers";
    for (const [name, value] of new Headers(headers)) made.set(name, value);
    return Object.fromEntries(made);
  } catch {
    // Without its cause, which repeats the value.
    throw new ChatModelError(
      `Cannot send '${param}' to an OpenAI-compatible server: it holds what no header can. ` +
        `Look for line breaks and characters that are not ASCII`,
      { code: "invalid_option", param },
    );
  }
}

function secretsOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    SECRET_HEADER.test(name) ? [value, ...value.split(/\s+/)] : []
  );
}
