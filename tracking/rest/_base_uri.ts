import { TrackingError } from "../errors.ts";
import type { Credentials } from "./_environment.ts";

/** A tracking URI, taken apart. */
export interface BaseUri {
  /** Without a slash at its end, and without secrets. */
  readonly url: string;
  /** What stood before the `@`. */
  readonly credentials?: Credentials;
}

/**
 * Takes the URI of a tracking server apart.
 *
 * @param uri The URI, `http:` or `https:`, perhaps with a path in front of MLflow's own.
 * @returns Its parts.
 * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if it is no such URI.
 */
export function parseBaseUri(uri: string): BaseUri {
  const url = URL.parse(uri.trim());
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    // What it is stays out of the message: it may hold a password.
    const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(uri)?.[0] ?? "";
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot use this tracking URI${scheme === "" ? "" : ` ("${scheme}…")`} as a server's: ` +
        `give one such as "http://127.0.0.1:5000"`,
    );
  }
  const clean = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  if (url.username === "" && url.password === "") return { url: clean };
  return { url: clean, credentials: { username: decode(url.username), password: decode(url.password) } };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A percent sign that stands for itself.
  }
}
