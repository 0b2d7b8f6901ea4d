import { assertEquals } from "@std/assert";
import { decodeImageUrl, normaliseBase64 } from "../../../adapters/ollama/images.ts";
import { encodeBase64 } from "../../../adapters/ollama/_base64.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const JPEG = "/9j/4AAQSkZJRgABAQEAYABgAAA=";
const WEBP = btoa("RIFF\x24\0\0\0WEBPVP8 ");

const DECODED: readonly (readonly [string, string, string])[] = [
  ["a PNG", `data:image/png;base64,${PNG}`, PNG],
  ["a JPEG", `data:image/jpeg;base64,${JPEG}`, JPEG],
  ["a WebP", `data:image/webp;base64,${WEBP}`, WEBP],
  ["a GIF", `data:image/gif;base64,${btoa("GIF89a\x01\0\x01\0")}`, btoa("GIF89a\x01\0\x01\0")],
  ["the wrong type", `data:image/jpeg;base64,${PNG}`, PNG],
  ["no type", `data:;base64,${PNG}`, PNG],
  ["parameters", `data:image/png;charset=utf-8;name="a;b";base64,${PNG}`, PNG],
  ["capitals", `DATA:IMAGE/PNG;BASE64,${PNG}`, PNG],
  [
    "the URL-safe alphabet without padding",
    `data:image/jpeg;base64,${JPEG.replaceAll("/", "_").replace("=", "")}`,
    JPEG,
  ],
  ["percent-encoding", `data:image/png;base64,${encodeURIComponent(PNG)}`, PNG],
  ["line breaks", `data:image/png;base64,${PNG.slice(0, 20)}\r\n ${PNG.slice(20)}`, PNG],
  ["bytes that are percent-encoded", "data:image/gif,GIF89a%01%00%01%00", btoa("GIF89a\x01\0\x01\0")],
];

for (const [name, url, base64] of DECODED) {
  Deno.test(`decodeImageUrl() takes the data out of a URL with ${name}`, () => {
    assertEquals(decodeImageUrl(url), { kind: "data", base64 });
  });
}

const INVALID = [
  "data:image/png;base64",
  "data:image/png;base64,",
  "data:image/png;base64,!!!",
  "data:image/png;base64,iVBOR",
  "data:image/png;base64,%E0%A4%A",
  "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
  "data:text/plain,hello",
  "data:image/gif,GIF89aü",
  "data:image/gif,GIF89a%zz",
  "ftp://example.com/a.png",
  "/home/me/a.png",
  "",
  PNG,
];

for (const url of INVALID) {
  Deno.test(`decodeImageUrl() refuses ${JSON.stringify(url.slice(0, 40))}`, () => {
    assertEquals(decodeImageUrl(url).kind, "invalid");
  });
}

Deno.test("decodeImageUrl() hands on what is to be fetched", () => {
  assertEquals(decodeImageUrl("HTTPS://Example.com/a.png"), {
    kind: "remote",
    url: new URL("https://example.com/a.png"),
  });
});

Deno.test("normaliseBase64() pads", () => {
  assertEquals(["YQ", "YWI", "YWJj", "YQ=="].map(normaliseBase64), ["YQ==", "YWI=", "YWJj", "YQ=="]);
});

Deno.test("encodeBase64() encodes any number of bytes", () => {
  for (const length of [0, 1, 2, 3, 0x6000 - 1, 0x6000, 0x6001, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    assertEquals(Uint8Array.from(atob(encodeBase64(bytes)), (c) => c.charCodeAt(0)), bytes);
  }
});
