import { assert, assertEquals } from "@std/assert";
import { decodeNdjson, decodeSse, readText } from "../../streaming/decode.ts";
import { cut, encode, outcome, streamOf } from "./_decoding.ts";

Deno.test("readText() reads a body however it is cut", async () => {
  const text = "\ufeffü€😀\r\n".repeat(3);
  const bytes = encode(text);
  for (const kind of ["bytes", "default"] as const) {
    for (const places of [[], [...bytes.keys()], [1], [4]]) {
      assertEquals(await readText(streamOf(cut(bytes, places), kind)), text.slice(1));
    }
    assertEquals(await readText(streamOf([], kind)), "");
    assertEquals(await readText(streamOf([new Uint8Array([0x61, 0xff])], kind)), "a\ufffd");
    assertEquals((await readText(streamOf([new Uint8Array(1_000_000).fill(97)], kind))).length, 1_000_000);
  }
  assertEquals(await readText(null), "");
});

Deno.test("decodeNdjson(), decodeSse() and readText() read a fetched body", async () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => `{"index":${index},"text":"ü€😀"}`);
  const sent = new Map([
    ["/ndjson", lines.join("\n")],
    ["/sse", lines.map((line) => `data: ${line}\n\n`).join("")],
  ]);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      new Response(ReadableStream.from(cut(encode(sent.get(new URL(request.url).pathname) ?? ""), [7, 999]))),
  );
  const get = async (path: string) => {
    const { body } = await fetch(`http://127.0.0.1:${server.addr.port}${path}`);
    assert(body !== null);
    return body;
  };
  assertEquals(await outcome(decodeNdjson(await get("/ndjson"))), { items: lines });
  assertEquals(await outcome(decodeSse(await get("/sse"))), { items: lines.map((data) => ({ data })) });
  assertEquals(await readText(await get("/ndjson")), sent.get("/ndjson"));
});
