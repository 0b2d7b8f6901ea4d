import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ask, assertError, post, send, testApp } from "./_app.ts";
import { Connection, start } from "./_wire.ts";

type Encode = (bytes: Uint8Array) => Uint8Array<ArrayBuffer>;

const ENCODERS: readonly [header: string, encode: Encode][] = [
  ["gzip", (bytes) => new Uint8Array(gzipSync(bytes))],
  ["x-gzip", (bytes) => new Uint8Array(gzipSync(bytes))],
  ["GZip", (bytes) => new Uint8Array(gzipSync(bytes))],
  ["deflate", (bytes) => new Uint8Array(deflateSync(bytes))],
  ["br", (bytes) => new Uint8Array(brotliCompressSync(bytes))],
  ["zstd", (bytes) => new Uint8Array(zstdCompressSync(bytes))],
  ["identity", (bytes) => new Uint8Array(bytes)],
];

const PATH = "/v1/chat/completions";

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** In pieces of so many bytes, as it comes from a socket. */
function pieces(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return ReadableStream.from((function* () {
    for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
  })());
}

for (const [header, encode] of ENCODERS) {
  const headers = { "content-encoding": header };

  Deno.test(`a body may be encoded: ${header}, as a whole or in pieces`, async () => {
    const body = encode(bytesOf(ask(`Grüße ${"😀".repeat(20_000)}`)));
    for (const sent of [body, pieces(body, 7), pieces(body, 100_000)]) {
      const answer = await send(testApp(), PATH, { method: "POST", body: sent, headers });
      assertEquals(answer.status, 200, answer.text);
      assertEquals(answer.json.choices[0].message.content, `parrot: Grüße ${"😀".repeat(20_000)}`);
    }
  });

  Deno.test(`a body may be encoded on a socket: ${header}`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    const body = encode(bytesOf(ask("Hello from afar")));
    for (let i = 0; i < 2; i++) {
      await connection.send(
        `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-encoding: ${header}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      await connection.send(body);
      const answer = await connection.answer();
      assertEquals(answer.status, 200, answer.body);
      assert(answer.body.includes("Hello from afar"), answer.body);
    }
  });

  if (header === "identity") continue;

  Deno.test(`a body that is not ${header}, as it says, is 400 and not reported`, async () => {
    const app = testApp();
    for (const body of [bytesOf(ask("Hi")), encode(bytesOf(ask("Hi, you there"))).subarray(0, 20)]) {
      const answer = await send(app, PATH, { method: "POST", body, headers });
      assertError(answer, 400, "invalid_encoding");
    }
    assertEquals(app.errors, []);
  });

  Deno.test(`a body of ${header} that ends too early is 400 invalid_encoding, wherever it ends`, async () => {
    const app = testApp();
    const body = encode(bytesOf(ask("Hi, you there")));
    for (let length = 0; length < body.length; length++) {
      const answer = await send(app, PATH, { method: "POST", body: body.subarray(0, length), headers });
      assertError(answer, 400, "invalid_encoding");
    }
    assertEquals(app.errors, []);
  });

  Deno.test(`a body of ${header} that something follows is 400 invalid_encoding`, async () => {
    const app = testApp();
    const body = encode(bytesOf(ask("Hi, you there")));
    for (const rest of [[0], [120], [0, 0, 0, 0, 0], [120, 120], [31, 139], [40, 181, 47, 253], bytesOf(ask("Hi"))]) {
      const sent = Uint8Array.from([...body, ...rest]);
      for (const piece of [sent, pieces(sent, 1), pieces(sent, body.length)]) {
        const answer = await send(app, PATH, { method: "POST", body: piece, headers });
        assertError(answer, 400, "invalid_encoding");
      }
    }
    assertEquals(app.errors, []);
  });

  Deno.test(`a body of ${header} is limited by what becomes of it, however small it is`, async () => {
    const bomb = encode(new Uint8Array(50_000_000).fill(32));
    assert(bomb.length < 60_000, `${bomb.length} bytes`);
    for (const sent of [bomb, pieces(bomb, 1_000)]) {
      const answer = await send(testApp(undefined, { maxBodySize: 1_000_000 }), PATH, {
        method: "POST",
        body: sent,
        headers,
      });
      assertError(answer, 413, "request_too_large");
      assertMatch(answer.json.error.message, /decoded, it is larger than 1000000 bytes/);
    }
  });

  Deno.test(`a body of ${header} that never ends is cut at maxBodySize`, async () => {
    let pulls = 0;
    let isCancelled = false;
    const start = encode(bytesOf(ask("Hi"))).subarray(0, 12);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(pulls++ === 0 ? start : crypto.getRandomValues(new Uint8Array(1_000)));
      },
      cancel() {
        isCancelled = true;
      },
    });
    const answer = await post(testApp(undefined, { maxBodySize: 20_000 }), endless, { headers });
    assert([400, 413].includes(answer.status), answer.text);
    assert(pulls < 40, `${pulls} pieces were taken`);
    assert(isCancelled, "The rest must be refused");
  });

  Deno.test(`a body of ${header} that breaks off is told from one that is wrong`, async () => {
    const body = encode(bytesOf(ask("x".repeat(1_000)))).subarray(0, 12);
    let isFirst = true;
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isFirst) controller.enqueue(body);
        else controller.error(new Error("gone"));
        isFirst = false;
      },
    });
    const app = testApp();
    assertError(await post(app, broken, { headers }), 400, "incomplete_body");
    assertEquals(app.errors, []);
  });
}

for (const [header, encode] of [["gzip", gzipSync], ["x-gzip", gzipSync], ["zstd", zstdCompressSync]] as const) {
  const headers = { "content-encoding": header };

  Deno.test(`a body of ${header} may be made of several members`, async () => {
    const bytes = bytesOf(ask("Hello from all of us"));
    const parts = [bytes.subarray(0, 1), bytes.subarray(1, 1), bytes.subarray(1, 20), bytes.subarray(20)];
    const body = Uint8Array.from(parts.flatMap((part) => [...encode(part)]));
    for (const sent of [body, pieces(body, 1), pieces(body, 50)]) {
      const answer = await send(testApp(), PATH, { method: "POST", body: sent, headers });
      assertEquals([answer.status, answer.json.choices?.[0].message.content], [200, "parrot: Hello from all of us"]);
    }
    const app = testApp();
    for (const sent of [body.subarray(0, -1), Uint8Array.from([...body, 120])]) {
      assertError(await send(app, PATH, { method: "POST", body: sent, headers }), 400, "invalid_encoding");
    }
    assertEquals(app.errors, []);
  });

  Deno.test(`a body of ${header} is limited by what becomes of all its members`, async () => {
    const spaces = [...encode(new Uint8Array(1_000).fill(32))];
    const body = Uint8Array.from(Array(5).fill(spaces).flat().concat([...encode(bytesOf(ask("Hi")))]));
    const limited = (maxBodySize: number) => testApp(undefined, { maxBodySize });
    const init = { method: "POST", body, headers };
    assertEquals((await send(limited(6_000), PATH, init)).status, 200);
    assertError(await send(limited(4_999), PATH, init), 413, "request_too_large");
    assertError(await send(limited(5_000), PATH, init), 413, "request_too_large");
  });
}

Deno.test("a body of zstd that is made of nothing but empty frames is refused before there are many", async () => {
  const frame = [...zstdCompressSync(new Uint8Array(0))];
  const body = Uint8Array.from(Array(20_000).fill(frame).flat());
  const answer = await send(testApp(), PATH, { method: "POST", body, headers: { "content-encoding": "zstd" } });
  assertError(answer, 400, "invalid_encoding");
});

for (const header of ["compress", "gzip, gzip", "gzip, br", "snappy", "utf-8"]) {
  Deno.test(`a body encoded as ${JSON.stringify(header)} is 415, with what would be right`, async () => {
    const headers = { "content-encoding": header, "content-type": "application/json" };
    for (const path of [PATH, "/invocations"]) {
      const answer = await send(testApp(), path, { method: "POST", body: bytesOf(ask("Hi")), headers });
      assertEquals(answer.status, 415);
      assertEquals(answer.headers.get("accept-encoding"), "gzip, deflate, br, zstd");
      assert(answer.text.includes(header), answer.text);
    }
    assertError(
      await send(testApp(), PATH, { method: "POST", body: bytesOf(ask("Hi")), headers }),
      415,
      "unsupported_encoding",
    );
  });
}

Deno.test("a body that is announced as larger than maxBodySize is 413 without being decoded", async () => {
  const body = new Uint8Array(gzipSync(crypto.getRandomValues(new Uint8Array(2_000))));
  const headers = { "content-encoding": "gzip", "content-length": String(body.length) };
  const app = testApp(undefined, { maxBodySize: 1_000 });
  assertError(await send(app, PATH, { method: "POST", body, headers }), 413, "request_too_large");
});

function utf16(text: string, isLittle: boolean): number[] {
  return Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    return isLittle ? [code & 0xff, code >> 8] : [code >> 8, code & 0xff];
  }).flat();
}

for (const mark of ["", "\ufeff"]) {
  for (const isLittle of [true, false]) {
    Deno.test(`a body in UTF-16${isLittle ? "LE" : "BE"} is refused by its name ${mark && "with a mark"}`, async () => {
      const body = Uint8Array.from(utf16(`${mark}${JSON.stringify(ask("Hi"))}`, isLittle));
      const answer = await send(testApp(), PATH, { method: "POST", body });
      assertError(answer, 400, "invalid_encoding");
      assertMatch(answer.json.error.message, /it is UTF-16 or UTF-32, and must be UTF-8/);
    });
  }
}

Deno.test("a byte order mark before encoded JSON does not matter", async () => {
  const body = new Uint8Array(gzipSync(`\ufeff${JSON.stringify(ask("Hi"))}`));
  const answer = await send(testApp(), PATH, { method: "POST", body, headers: { "content-encoding": "gzip" } });
  assertEquals([answer.status, answer.json.choices?.[0].message.content], [200, "parrot: Hi"]);
});
