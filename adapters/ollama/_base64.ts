/** Encodes bytes in standard base64, in pieces: arguments of one call are limited in number. */
export function encodeBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // A multiple of three, so that only the last piece is padded.
  const size = 0x6000;
  for (let start = 0; start < bytes.length; start += size) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(start, start + size))));
  }
  return pieces.join("");
}

/** First bytes of the image formats that Ollama's runners read. */
const SIGNATURES: readonly (readonly [offset: number, text: string])[] = [
  [0, "\x89PNG\r\n\x1a\n"],
  [0, "\xff\xd8\xff"],
  [0, "GIF8"],
  [0, "BM"],
  [8, "WEBP"],
];

/** Whether base64 data begins like an image of a format that Ollama's runners read. */
export function isImageData(base64: string): boolean {
  // 16 characters make the 12 bytes that the longest signature needs.
  const start = atob(base64.slice(0, 16));
  return SIGNATURES.some(([offset, text]) => start.startsWith(text, offset));
}
