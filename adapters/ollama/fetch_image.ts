import { ValidationError } from "../../types/mod.ts";
import { encodeBase64, isImageData } from "./_base64.ts";

/** An image to fetch. */
export interface RemoteImage {
  /** Where it is. */
  readonly url: URL;
  /** Dotted path of the URL in the request. */
  readonly path: string;
}

/** Limits of {@linkcode fetchImage}. */
export interface FetchImageOptions {
  /** Cancels the fetch. */
  readonly signal: AbortSignal;
  /** Most bytes of an image. @default {20_971_520} */
  readonly maxBytes?: number;
  /** Milliseconds for the whole of it. @default {30_000} */
  readonly timeout?: number;
}

/** Redirects that are followed, at most. */
const MAX_REDIRECTS = 3;

/**
 * Whether images may be fetched from a URL's host. Entries are host names, with a port or without; a name without
 * allows every port.
 *
 * @param url The URL.
 * @param allowed The allowed hosts.
 * @returns Whether the host is one of them.
 */
export function isAllowedHost(url: URL, allowed: readonly string[]): boolean {
  return allowed.some((host) => {
    const name = host.toLowerCase();
    return name === url.host || name === url.hostname;
  });
}

/**
 * Fetches an image. Redirects are followed only within the host and never from https to http: another host was not
 * allowed by anyone.
 *
 * @param image Where it is.
 * @param options Limits.
 * @returns Its data in base64.
 * @throws {ValidationError} If it cannot be had, is too large, or is no image.
 */
export async function fetchImage(image: RemoteImage, options: FetchImageOptions): Promise<string> {
  const { signal, maxBytes = 20 * 1024 * 1024, timeout = 30_000 } = options;
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const late = failure(image, `took more than ${timeout} ms`);
  const timer = setTimeout(() => controller.abort(late), timeout);
  try {
    const response = await open(image, controller.signal);
    const base64 = encodeBase64(await readBody(response, image, { signal: controller.signal, maxBytes }));
    if (base64 !== "" && isImageData(base64)) return base64;
    throw failure(image, "is no PNG, JPEG, WebP, GIF or BMP image");
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    if (error instanceof ValidationError) throw error;
    throw failure(image, "cannot be reached", error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function open(image: RemoteImage, signal: AbortSignal): Promise<Response> {
  let url = image.url;
  for (let redirects = 0;; redirects++) {
    const response = await fetch(url, { signal, redirect: "manual", headers: { accept: "image/*" } });
    if (response.ok) return response;
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) {
      throw failure(image, `was answered with status ${response.status}`);
    }
    const next = URL.parse(location, url);
    if (next === null || next.host !== url.host || (url.protocol === "https:" && next.protocol !== "https:")) {
      throw failure(image, "redirects to another host");
    }
    if (redirects >= MAX_REDIRECTS) throw failure(image, `redirects more than ${MAX_REDIRECTS} times`);
    url = next;
  }
}

async function readBody(
  response: Response,
  image: RemoteImage,
  limits: { readonly signal: AbortSignal; readonly maxBytes: number },
): Promise<Uint8Array> {
  const { signal, maxBytes } = limits;
  const tooLarge = () => failure(image, `is larger than ${maxBytes} bytes`);
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  // By hand: a signal given to fetch may be forgotten once the headers are there and garbage was collected.
  const onAbort = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (Number(response.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      length += value.length;
      if (length > maxBytes) throw tooLarge();
      pieces.push(value);
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const piece of pieces) {
      bytes.set(piece, offset);
      offset += piece.length;
    }
    return bytes;
  } finally {
    signal.removeEventListener("abort", onAbort);
    // After the end this does nothing; else it closes the connection. It fails only if the connection did already.
    await reader.cancel().catch(() => {});
  }
}

function failure(image: RemoteImage, message: string, cause?: unknown): ValidationError {
  return new ValidationError(
    "Cannot fetch an image",
    [{ path: image.path, message: `the image at host "${image.url.host}" ${message}` }],
    { code: "invalid_image_url", ...(cause !== undefined && { cause }) },
  );
}
