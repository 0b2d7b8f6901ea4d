import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ChatModelError } from "../../mod.ts";
import { ask, assertError, Parrot, post, send, testApp } from "./_app.ts";

const BAD_JSON: readonly [body: string, message: RegExp][] = [
  ['{"messages": [],}', /: error at line 1, column 17\. Send an object/],
  ['{\n  "messages": [\n  {"role": "user" "content": "secret"}]}', /: error at line 3, column 19\. Send an object/],
  ['{"messages": [{"role": "user", "content": "secret', /: error at line 1, column \d+\. Send an object/],
  ['{"messages":', /: it is empty or ends too early\. Send an object/],
  ["secret", /is not valid JSON/],
  ["messages=secret&model=x", /is not valid JSON/],
  ['{"messages": NaN, "secret": 1}', /is not valid JSON/],
];

for (const [body, message] of BAD_JSON) {
  Deno.test(`a body that is no JSON is 400 and not echoed: ${JSON.stringify(body)}`, async () => {
    const app = testApp();
    const answer = await post(app, body);
    assertError(answer, 400, "invalid_json");
    assertMatch(answer.json.error.message, message);
    assert(!answer.text.includes("secret"), answer.text);
    assertEquals(app.errors, []);
  });
}

Deno.test("an empty body is 400 and told what to send", async () => {
  const app = testApp();
  for (const body of ["", " \n\t"]) {
    const answer = await post(app, body);
    assertError(answer, 400, "invalid_json");
    assert(answer.json.error.message.includes('{"messages"'), answer.text);
  }
  assertError(await send(app, "/v1/chat/completions", { method: "POST" }), 400, "invalid_json");
});

for (
  const [path, example] of [
    ["/v1/chat/completions", { messages: [{ role: "user", content: "Hello" }] }],
    ["/invocations", { messages: [{ role: "user", content: "Hello" }] }],
    ["/v1/responses", { input: "Hello" }],
    ["/v1/completions", { prompt: "Hello" }],
    ["/v1/embeddings", { input: "Hello" }],
    ["/v1/chat/completions/x", { metadata: { key: "value" } }],
  ] as const
) {
  Deno.test(`${path} says what it takes when it is sent no JSON`, async () => {
    const app = testApp();
    const headers = { "content-type": "application/json" };
    const { status, json } = await post(app, "{", { path, headers });
    assertEquals(status, 400);
    const message: string = json.message ?? json.error.message;
    assertEquals(JSON.parse(message.split("Send an object such as ")[1] ?? ""), example, message);
    // What it offers is not refused for its form.
    const answer = await post(app, example, { path, headers });
    assert(!answer.text.includes('"invalid_value"') && !answer.text.includes('"error_code"'), answer.text);
  });
}

Deno.test("JSON that is no object is 400", async () => {
  for (const body of ["[]", '"hi"', "5", "null", "true"]) {
    assertError(await post(testApp(), body), 400, "invalid_value");
  }
});

Deno.test("a request that is wrong is 400 with all that is wrong and the first path", async () => {
  const answer = await post(testApp(), { messages: [{ role: "user", content: 5 }], temperature: "hot" });
  assertError(answer, 400, "invalid_value", "messages.0.content");
  for (const path of ["messages.0.content", "temperature"]) assert(answer.text.includes(path), answer.text);
});

Deno.test("the content type does not matter: curl -d sends a form's", async () => {
  for (const type of ["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "application/json", ""]) {
    const answer = await post(testApp(), JSON.stringify(ask("Hi")), { headers: { "content-type": type } });
    assertEquals(answer.status, 200, type);
  }
});

Deno.test("a byte order mark before the JSON does not matter, with a length or in pieces", async () => {
  const bytes = new TextEncoder().encode(`\ufeff${JSON.stringify(ask("Hí"))}`);
  for (const headers of [{ "content-length": String(bytes.length) }, {}]) {
    const answer = await send(testApp(), "/v1/chat/completions", { method: "POST", body: bytes, headers });
    assertEquals([answer.status, answer.json.choices?.[0].message.content], [200, "parrot: Hí"]);
  }
});

Deno.test("a body that comes in pieces cut inside characters is put together", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify(ask("Grüße 😀")));
  const pieces = ReadableStream.from(Array.from(bytes, (byte) => Uint8Array.of(byte)));
  assertEquals((await post(testApp(), pieces)).json.choices[0].message.content, "parrot: Grüße 😀");
});

Deno.test("a body of exactly maxBodySize is taken, one byte more is 413", async () => {
  const body = JSON.stringify(ask("ü".repeat(100)));
  const size = new TextEncoder().encode(body).length;
  for (const headers of [{ "content-length": String(size) }, {}]) {
    assertEquals((await post(testApp(undefined, { maxBodySize: size }), body, { headers })).status, 200);
    const answer = await post(testApp(undefined, { maxBodySize: size - 1 }), body, { headers });
    assertError(answer, 413, "request_too_large");
    assert(answer.json.error.message.includes(`${size - 1} bytes`), answer.text);
  }
});

Deno.test("a body that never ends is cut at maxBodySize", async () => {
  let pulls = 0;
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(new Uint8Array(1_000).fill(32));
    },
    cancel() {
      cancelled = true;
    },
  });
  assertError(await post(testApp(undefined, { maxBodySize: 10_000 }), endless), 413, "request_too_large");
  assert(pulls < 20, `${pulls} pieces were taken`);
  assert(cancelled, "The rest must be refused");
});

Deno.test("5 MB are taken by default", async () => {
  const answer = await post(testApp(), ask("x".repeat(5_000_000)));
  assertEquals([answer.status, answer.json.choices[0].message.content.length], [200, 5_000_008]);
});

Deno.test("__proto__ in a body is a field like any other", async () => {
  const answer = await post(testApp(), '{"messages":[{"role":"user","content":"Hi"}],"__proto__":{"polluted":1}}');
  assertEquals(answer.status, 200);
  assertEquals(Reflect.get({}, "polluted"), undefined);
  assert(answer.text.includes('"extra":{"__proto__":{"polluted":1}}'), answer.text);
});

Deno.test("a body that breaks off is no failure of the server", async () => {
  const app = testApp();
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("gone"));
    },
  });
  assertError(await post(app, broken), 400, "incomplete_body");
  assertEquals(app.errors, []);
});

for (
  const [name, head] of [
    ["with a length", "content-length: 500\r\n\r\n"],
    ["in pieces", "transfer-encoding: chunked\r\n\r\n7\r\n"],
  ] as const
) {
  Deno.test(`a client that leaves while it sends, ${name}, is not reported on a socket either`, async () => {
    const reported: ChatModelError[] = [];
    const statuses: number[] = [];
    const answered = Promise.withResolvers<void>();
    const app = testApp({ m: new Parrot() }, { onError: (error) => reported.push(error) });
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
      const response = await app.fetch(request);
      statuses.push(response.status);
      answered.resolve();
      return response;
    });
    const connection = await Deno.connect({ port: server.addr.port, hostname: "127.0.0.1" });
    await connection.write(
      new TextEncoder().encode(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n${head}{"messa`),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    connection.close();
    await answered.promise;
    assertEquals(statuses, [400]);
    assertEquals(reported, []);
  });
}

Deno.test("413 on a socket answers before the body is sent", async () => {
  const app = testApp(undefined, { maxBodySize: 1_000 });
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
  const answer = await fetch(`http://127.0.0.1:${server.addr.port}/v1/chat/completions`, {
    method: "POST",
    body: "x".repeat(2_000),
  });
  assertEquals([answer.status, (await answer.json()).error.code], [413, "request_too_large"]);
});

Deno.test("a body that is not UTF-8 is 400, rather than taken with other characters", async () => {
  const app = testApp();
  const bytes = new Uint8Array([...new TextEncoder().encode('{"messages":[{"role":"user","content":"'), 0xff, 0xfe]);
  for (const headers of [new Headers({ "content-length": String(bytes.length) }), new Headers()]) {
    const request = new Request("http://localhost/v1/chat/completions", { method: "POST", body: bytes, headers });
    const response = await app.fetch(request);
    assertEquals(response.status, 400);
    const { error } = await response.json();
    assertEquals(error.code, "invalid_encoding");
    assertMatch(error.message, /it is not UTF-8/);
  }
});
