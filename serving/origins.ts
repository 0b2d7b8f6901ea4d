/** Which other origins' pages may call: local ones always, these besides; `"*"` means all. */
export type AllowedOrigins = readonly string[] | "*";

/**
 * Whether a page of this origin may call: one from this machine, or one of the list. Others are refused rather than
 * left to the browser, which would still have the model answer for them.
 */
export function isAllowedOrigin(origin: string, allowed: AllowedOrigins): boolean {
  if (allowed === "*" || allowed.includes(origin)) return true;
  try {
    const { hostname, protocol } = new URL(origin);
    if (protocol !== "http:" && protocol !== "https:") return false;
    return hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]" ||
      hostname.endsWith(".localhost");
  } catch {
    return false; // "null", which sandboxed pages and files send: no one to trust.
  }
}

/**
 * Checks that a text is an origin: a scheme and a host, maybe a port, nothing behind it.
 *
 * @throws {TypeError} If it is none, as it could never match.
 */
export function checkOrigin(text: string): void {
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/.test(text)) return;
  throw new TypeError(`Cannot allow origin "${text}": it must be one such as "https://example.com", without a path`);
}
