import { ChatModelError, UpstreamError } from "../../types/mod.ts";
import { fetchFailure, isConnectionLoss } from "./fetch_failure.ts";
import { publicText } from "./public_text.ts";

/** The server that a call did not get to. */
export interface UnreachableServer {
  /** What it is called, such as `Ollama`. */
  readonly name: string;
  /** Its base URL, as it may be shown. */
  readonly url: string;
  /** What to do where nothing listens. */
  readonly startHint: string;
  /** What to do where the address may be wrong. */
  readonly checkHint: string;
  /** Hides what is secret in a text. Default: nothing is. */
  readonly hide?: (text: string) => string;
}

/**
 * The typed error of a call that got no answer at all.
 *
 * @param error What `fetch` threw.
 * @param server The server.
 * @returns The error: code `permission_denied`, else `upstream_unreachable`.
 */
export function unreachable(error: unknown, server: UnreachableServer): ChatModelError {
  const { name, url, startHint, checkHint, hide = (text) => text } = server;
  const failure = fetchFailure(error);
  const text = hide(failure);
  // Deno's own error repeats the whole URL, in whose query keys may stand.
  const cause = text === failure ? error : new Error(text);
  const options = { code: "upstream_unreachable", cause };
  const at = `Cannot reach ${name} at "${url}"`;
  if (error instanceof Deno.errors.NotCapable) {
    return new ChatModelError(`${at}: no permission. Run with --allow-net=${new URL(url).host}`, {
      code: "permission_denied",
      cause,
    });
  }
  if (/connection refused/i.test(text)) return new UpstreamError(`${at}: connection refused. ${startHint}`, options);
  if (isConnectionLoss(error)) {
    return new UpstreamError(`${at}: the connection broke before an answer came`, options);
  }
  if (/dns error|failed to lookup/i.test(text)) {
    return new UpstreamError(`${at}: no such host. ${checkHint}`, options);
  }
  const reason = text.replace(/^.*client error \(\w+\): /s, "");
  return new UpstreamError(`${at}: ${publicText(reason)}. ${checkHint}`, options);
}
