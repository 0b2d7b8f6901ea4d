import { encodeBase64, isImageData } from "./_base64.ts";

/** Base64 data as Ollama takes it, or what is wrong with the URL. */
export type DecodedUrl =
  | { readonly kind: "data"; readonly base64: string }
  | { readonly kind: "remote"; readonly url: URL }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * Reads the URL of an image. `data:` URLs are taken apart: Ollama wants plain, padded, standard base64 (RFC 4648 §4),
 * while clients also send the URL-safe alphabet, percent-encoding, line breaks, parameters and no padding.
 * What counts as an image is told by its first bytes, not by the media type, which is often wrong.
 *
 * @param text The URL.
 * @returns The image's data, the URL to fetch it from, or what is wrong.
 */
export function decodeImageUrl(text: string): DecodedUrl {
  if (/^data:/i.test(text)) return decodeDataUrl(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return { kind: "remote", url };
  return { kind: "invalid", message: "must be a data: URL with a base64 image, or an http(s) URL" };
}

function decodeDataUrl(text: string): DecodedUrl {
  const comma = text.indexOf(",");
  if (comma === -1) return { kind: "invalid", message: "must have a comma before the data, as data: URLs do" };
  const isBase64 = /;\s*base64\s*$/i.test(text.slice(0, comma));
  const base64 = isBase64 ? normaliseBase64(text.slice(comma + 1)) : encodePercentData(text.slice(comma + 1));
  if (base64 === undefined) return { kind: "invalid", message: "must hold valid base64 data" };
  if (!isImageData(base64)) {
    return { kind: "invalid", message: "must hold a PNG, JPEG, WebP, GIF or BMP image" };
  }
  return { kind: "data", base64 };
}

/**
 * Brings base64 into the form that Ollama takes.
 *
 * @param text Base64 of either alphabet, padded or not, maybe percent-encoded or broken into lines.
 * @returns Padded standard base64, or `undefined` if it is none.
 */
export function normaliseBase64(text: string): string | undefined {
  let data = text;
  if (data.includes("%")) {
    try {
      data = decodeURIComponent(data);
    } catch {
      return undefined; // Neither base64 nor percent-encoding: the caller says so.
    }
  }
  if (/\s/.test(data)) data = data.replaceAll(/\s+/g, "");
  if (/[-_]/.test(data)) data = data.replaceAll("-", "+").replaceAll("_", "/");
  data = data.replace(/={1,2}$/, "");
  if (data === "" || data.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(data)) return undefined;
  return data + "=".repeat((4 - data.length % 4) % 4);
}

/** Data that is percent-encoded bytes rather than base64 (RFC 2397). */
function encodePercentData(text: string): string | undefined {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    if (text[i] !== "%") {
      bytes[length++] = code;
      continue;
    }
    const hex = text.slice(i + 1, i + 3);
    if (!/^[0-9a-f]{2}$/i.test(hex)) return undefined;
    bytes[length++] = parseInt(hex, 16);
    i += 2;
  }
  return encodeBase64(bytes.subarray(0, length));
}
