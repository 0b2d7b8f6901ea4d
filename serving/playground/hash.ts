/** SHA-256 of a text, in hexadecimal digits. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** Hexadecimal digits in Base64, as content security policies want them. */
export function encodeBase64(hex: string): string {
  return Uint8Array.fromHex(hex).toBase64();
}
