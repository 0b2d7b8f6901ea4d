import { ChatModelError } from "../../types/mod.ts";

/** Where an Ollama server is. */
export interface OllamaHost {
  /** Base URL without a slash at its end, such as `http://127.0.0.1:11434`. */
  readonly url: string;
  /** Headers every request needs: a basic `authorization` if user and password stood in the address. */
  readonly headers: { readonly [name: string]: string };
  /** What was wrong with the address and replaced by a default; to be shown to people. */
  readonly warning?: string;
}

/**
 * Reads the value of `OLLAMA_HOST` as Ollama itself does (`envconfig.Host` in its source): quotes and space around it
 * do not count, the port is 11434, with `http://` in front 80, with `https://` 443, a path is kept as prefix, a port
 * that is none is replaced by the default.
 *
 * For clients two things are added: an address that means "all interfaces" becomes the loopback address, and user and
 * password become a header, as `fetch` takes none in its URL.
 *
 * @param value The value; absent or empty means `127.0.0.1:11434`.
 * @returns Where the server is.
 * @throws {ChatModelError} If no URL can be made of it (code `invalid_host`).
 */
export function parseOllamaHost(value: string | undefined): OllamaHost {
  const text = trimQuotes(value ?? "");
  const { scheme, defaultPort, rest } = splitScheme(text);
  const slash = rest.indexOf("/");
  const path = (slash < 0 ? "" : rest.slice(slash)).replace(/\/+$/, "");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf("@");
  const { host, port } = splitPort(authority.slice(at + 1));
  const isPort = port === undefined || (/^[+]?\d+$/.test(port) && Number(port) <= 65535);
  const usedPort = isPort && port !== undefined ? Number(port) : defaultPort;
  const url = URL.parse(`${scheme}://${toLoopback(host)}:${usedPort}${path}`);
  if (url === null || (scheme !== "http" && scheme !== "https")) {
    throw new ChatModelError(
      `Cannot read Ollama's address: "${withoutUser(text)}" is none. Write it as "host:port" or "https://host/path"`,
      { code: "invalid_host" },
    );
  }
  return {
    // URL leaves out a scheme's own port: so do we, as it makes no difference to the connection.
    url: `${url.origin}${url.pathname}`.replace(/\/+$/, ""),
    headers: at < 0 ? {} : { authorization: basicAuthorization(authority.slice(0, at)) },
    ...(!isPort &&
      { warning: `Port "${port}" of Ollama's address is not between 0 and 65535: ${defaultPort} is used` }),
  };
}

function trimQuotes(value: string): string {
  return value.trim().replace(/^["']+|["']+$/g, "").trim();
}

function splitScheme(text: string): { scheme: string; defaultPort: number; rest: string } {
  if (text === "ollama.com") return { scheme: "https", defaultPort: 443, rest: text };
  const end = text.indexOf("://");
  if (end < 0) return { scheme: "http", defaultPort: 11434, rest: text };
  const scheme = text.slice(0, end);
  const defaultPort = scheme === "http" ? 80 : scheme === "https" ? 443 : 11434;
  return { scheme, defaultPort, rest: text.slice(end + 3) };
}

/** Splits as Go's `net.SplitHostPort` does: an IPv6 address has a port only behind brackets. */
function splitPort(text: string): { host: string; port: string | undefined } {
  const match = /^(\[[^[\]]*\]|[^:[\]]*):([^:]*)$/.exec(text);
  return match ? { host: match[1] ?? "", port: match[2] } : { host: text, port: undefined };
}

function toLoopback(host: string): string {
  const address = host.replace(/^\[|\]$/g, "");
  if (address === "" || address === "0.0.0.0") return "127.0.0.1";
  if (!address.includes(":")) return host;
  return URL.parse(`http://[${address}]`)?.hostname === "[::]" ? "[::1]" : `[${address}]`;
}

function withoutUser(text: string): string {
  return text.replace(/^([a-z]+:\/\/)?.*@/i, "$1");
}

function basicAuthorization(user: string): string {
  const bytes = new TextEncoder().encode(decodeUser(user.includes(":") ? user : `${user}:`));
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function decodeUser(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user; // A bare percent sign is meant as one.
  }
}
