/** What a server must withstand: the list, by name, each with what it does to a server and what must become of it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Connection, plain, post, type WireAnswer } from "../_wire.ts";
import { SECRETS } from "../guards/_guarded.ts";

/** The server that is attacked. */
export interface Target {
  readonly port: number;
  /** What the server has written so far: its log. */
  readonly log: () => string;
}

/** One attack. */
export interface Attack {
  readonly name: string;
  /** Attacks, and checks that it is refused. */
  readonly run: (target: Target) => Promise<void>;
}

const CHAT = "/v1/chat/completions";
const AUTHORIZATION = `authorization: Bearer ${SECRETS.all}`;
const HELLO = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });

/** A whole request with a body and a key. */
function authorized(path: string, body: string, ...headers: readonly string[]): string {
  return post(path, body).replace("\r\n\r\n", `\r\n${[AUTHORIZATION, ...headers].join("\r\n")}\r\n\r\n`);
}

/** Sends a request on a connection of its own, and reads the answer. */
async function send({ port }: Target, request: string | Uint8Array): Promise<WireAnswer> {
  using connection = await Connection.open(port);
  await connection.send(request);
  return await connection.answer();
}

function assertRefused({ status, body, head }: WireAnswer, expected: number, code: string | null): void {
  assertEquals([status, JSON.parse(body).error?.code], [expected, code], `${head}${body}`);
}

/** Sends until it is told that it is enough, but never more than so many bytes. */
async function flood(connection: Connection, most: number): Promise<number> {
  const piece = new Uint8Array(65_536).fill(0x20);
  let sent = 0;
  try {
    while (sent < most) {
      await connection.send(piece);
      sent += piece.length;
    }
  } catch {
    // The server has closed the connection.
  }
  return sent;
}

const MEGABYTES = 1_048_576;

/** Paths that stand for another in the eyes of those who decode twice, or not at all. */
const PATH_TRICKS = [
  "/v1/%2e%2e/metrics",
  "/v1/..%2fmetrics",
  "/ping/../v1/models",
  "/health/live/../../v1/models",
  "/ping/%2e%2e/v1/models",
  "//v1//models",
  "/v1/models/",
  "/v1/models?/ping",
  "/v1/models#/ping",
  "/v1/models;/ping",
  "/V1/MODELS",
  "/v1/models%00",
  "/%76%31/models",
  "/ping%2f..%2fv1%2fmodels",
  "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "/v1/responses/..%2f..%2f..%2fetc%2fpasswd",
  "/\\v1\\models",
  "http://localhost/v1/models",
  "http://localhost/health/live/../../v1/models",
  "http://evil.test/v1/models",
];

/** All of them. */
export const ATTACKS: readonly Attack[] = [
  {
    name: "no key",
    async run(target) {
      assertRefused(await send(target, post(CHAT, HELLO)), 401, "invalid_api_key");
    },
  },
  {
    name: "a wrong key, in many forms",
    async run(target) {
      for (
        const value of ["", "Bearer", "Bearer ", `Bearer ${"x".repeat(10_000)}`, "Bearer null", "Basic eDp5", "\x80"]
      ) {
        const request = post(CHAT, HELLO).replace("\r\n\r\n", `\r\nauthorization: ${value}\r\n\r\n`);
        assertRefused(await send(target, request), 401, "invalid_api_key");
      }
      const twice = post(CHAT, HELLO).replace(
        "\r\n\r\n",
        `\r\nauthorization: Bearer wrong-key-0123456789\r\n${AUTHORIZATION}\r\n\r\n`,
      );
      assertRefused(await send(target, twice), 401, "invalid_api_key");
    },
  },
  {
    name: "a key in the URL",
    async run(target) {
      assertRefused(await send(target, plain(`GET /v1/models?api_key=${SECRETS.all}`)), 401, "invalid_api_key");
    },
  },
  {
    name: "a key for another model",
    async run(target) {
      const request = post(CHAT, JSON.stringify({ ...JSON.parse(HELLO), model: "secret" }))
        .replace("\r\n\r\n", `\r\nauthorization: Bearer ${SECRETS.parrot}\r\n\r\n`);
      assertRefused(await send(target, request), 403, "model_not_allowed");
    },
  },
  {
    name: "a body of 100 MB that says so, refused before it is sent",
    async run({ port }) {
      using connection = await Connection.open(port);
      await connection.send(authorized(CHAT, "").replace("content-length: 0", `content-length: ${100 * MEGABYTES}`));
      const answer = await connection.answer();
      assertRefused(answer, 413, "request_too_large");
      assertEquals(answer.headers.get("connection"), "close");
    },
  },
  {
    name: "a body of 100 MB in chunks, refused at the limit",
    async run({ port }) {
      using connection = await Connection.open(port);
      await connection.send(plain(`POST ${CHAT}`, AUTHORIZATION, "transfer-encoding: chunked"));
      await connection.send(`${(100 * MEGABYTES).toString(16)}\r\n`);
      const flooding = flood(connection, 100 * MEGABYTES);
      const answer = await connection.answer();
      assertRefused(answer, 413, "request_too_large");
      await connection.toEnd().catch(() => "reset");
      connection.close();
      await flooding;
    },
  },
  {
    name: "a body that grows to 100 MB when it is unpacked",
    async run(target) {
      const bomb = new Blob([new Uint8Array(100 * MEGABYTES).fill(0x20)]).stream()
        .pipeThrough(new CompressionStream("gzip"));
      const body = await new Response(bomb).bytes();
      const head = plain(`POST ${CHAT}`, AUTHORIZATION, "content-encoding: gzip", `content-length: ${body.length}`);
      const request = new Uint8Array([...new TextEncoder().encode(head), ...body]);
      assertRefused(await send(target, request), 413, "request_too_large");
    },
  },
  {
    name: "a head that comes slowly",
    async run({ port }) {
      using connection = await Connection.open(port);
      await connection.send(`POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\n`);
      assertRefused(await connection.answer(), 408, "request_timeout");
      assertEquals(await connection.toEnd(), "");
    },
  },
  {
    name: "a body that comes slowly",
    async run({ port }) {
      using connection = await Connection.open(port);
      await connection.send(authorized(CHAT, HELLO).slice(0, -5));
      assertRefused(await connection.answer(), 408, "request_timeout");
    },
  },
  {
    name: "a hundred heads and bodies that come slowly, at once",
    async run({ port }) {
      const connections = await Promise.all(Array.from({ length: 100 }, () => Connection.open(port)));
      try {
        await Promise.all(connections.map(async (connection, i) => {
          await connection.send(i % 2 === 0 ? "GET / HTTP/1.1\r\nx" : authorized(CHAT, HELLO).slice(0, -1));
          assertEquals((await connection.answer()).status, 408);
        }));
      } finally {
        for (const connection of connections) connection.close();
      }
    },
  },
  {
    name: "JSON that is 10 000 deep",
    async run(target) {
      const deep = (open: string, close: string) => open.repeat(10_000) + "1" + close.repeat(10_000);
      const messages = '"messages":[{"role":"user","content":"Hi"}]';
      const bodies = [
        deep("[", "]"),
        deep('{"a":', "}"),
        `{"messages":${deep("[", "]")}}`,
        `{${messages},"tools":[{"type":"function","function":{"name":"f","parameters":${deep('{"a":', "}")}}}]}`,
        `{${messages},"metadata":${deep('{"a":', "}")}}`,
        `{"input":"Hi","tools":${deep("[", "]")}}`,
        "[".repeat(10_000),
        `{"a":`.repeat(1_000_000),
      ];
      for (const path of [CHAT, "/v1/responses", "/v1/completions", "/v1/embeddings"]) {
        for (const body of bodies) assertRefused(await send(target, authorized(path, body)), 400, "invalid_json");
      }
      for (const body of bodies) {
        const { status } = await send(target, authorized("/invocations", body, "content-type: application/json"));
        assertEquals(status, 400);
      }
    },
  },
  {
    name: "a million messages that are none",
    async run(target) {
      const answer = await send(target, authorized(CHAT, `{"messages":[${Array(1_000_000).fill("0").join()}]}`));
      assertRefused(answer, 400, "array_above_max_length");
      assert(answer.body.length < 20_000, `${answer.body.length}`);
    },
  },
  {
    name: "a header in the name of a model, and in the id of a request",
    async run(target) {
      const model = "x\r\nset-cookie: a=b\r\n\r\n<script>";
      const answers = [
        await send(target, authorized(CHAT, JSON.stringify({ ...JSON.parse(HELLO), model }))),
        await send(target, plain(`GET /v1/models/${encodeURIComponent(model)}`, AUTHORIZATION)),
      ];
      for (const answer of answers) {
        assertRefused(answer, 404, "model_not_found");
        assertEquals(answer.headers.has("set-cookie"), false, answer.head);
        assertEquals(answer.headers.get("content-type"), "application/json");
      }
      const { headers } = await send(target, plain("GET /ping", "x-request-id: a b<script>\t"));
      assertMatch(headers.get("x-request-id") ?? "", /^req_[\w-]+$/);
      assertEquals(target.log().includes("\nset-cookie"), false);
    },
  },
  {
    name: "two lengths, or a length beside chunks: requests that are smuggled",
    async run(target) {
      const smuggled = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n";
      for (
        const headers of [
          ["content-length: 0", `content-length: ${smuggled.length}`],
          [`content-length: ${smuggled.length}`, "transfer-encoding: chunked"],
          ["transfer-encoding: xchunked", "content-length: 0"],
          ["transfer-encoding: chunked", "transfer-encoding: identity"],
        ]
      ) {
        using connection = await Connection.open(target.port);
        await connection.send(plain(`POST ${CHAT}`, AUTHORIZATION, ...headers) + `0\r\n\r\n${smuggled}`);
        const { status } = await connection.answer();
        assert(status === 400 || status === 415, `${headers}: ${status}`);
        assertEquals(await connection.toEnd(), "", `${headers}`);
      }
    },
  },
  {
    name: "paths that are written in another way, to get past the key",
    async run(target) {
      for (const path of PATH_TRICKS) {
        using connection = await Connection.open(target.port);
        await connection.send(plain(`GET ${path}`));
        const { status, body } = await connection.answer();
        assert([400, 401, 403, 404].includes(status), `${path}: ${status}`);
        assertEquals(/secret|root:/.test(body), false, path);
      }
    },
  },
  {
    name: "another host's name (DNS rebinding)",
    async run(target) {
      for (
        const host of ["evil.test", "evil.test:80", "localhost.evil.test", "127.0.0.1.evil.test", "[::1].evil.test"]
      ) {
        const answer = await send(target, plain("GET /v1/models", AUTHORIZATION).replace("localhost", host));
        const code = host.startsWith("[") ? "invalid_host_header" : "host_not_allowed";
        assertRefused(answer, host.startsWith("[") ? 400 : 403, code);
      }
      // The name that counts is that of the URL, where there is a whole one.
      const whole = plain("GET http://evil.test/v1/models", AUTHORIZATION);
      assertRefused(await send(target, whole), 403, "host_not_allowed");
    },
  },
  {
    name: "a page of elsewhere that posts",
    async run(target) {
      for (const origin of ["https://evil.test", "null", "http://localhost.evil.test", "http://127.0.0.1@evil.test"]) {
        const simple = authorized(CHAT, HELLO, `origin: ${origin}`, "content-type: text/plain");
        const answer = await send(target, simple);
        assertRefused(answer, 403, "origin_not_allowed");
        assertEquals(answer.headers.has("access-control-allow-origin"), false, origin);
        const asked = plain(`OPTIONS ${CHAT}`, `origin: ${origin}`, "access-control-request-method: POST");
        assertRefused(await send(target, asked), 403, "origin_not_allowed");
      }
    },
  },
  {
    name: "a prompt that comes back in an error, or gets into the log",
    async run(target) {
      const prompt = "My-prompt-that-no-one-may-see";
      const bodies = [
        `{"messages":[{"role":"user","content":"${prompt}"`,
        `{"messages":[{"role":"user","content":"${prompt}"}],"temperature":"${prompt}"}`,
        `{"messages":[{"role":"${prompt}","content":"${prompt}"}]}`,
        `{"messages":[{"role":"user","content":{"text":"${prompt}"}}]}`,
        `{"messages":"${prompt}","input":["${prompt}"],"prompt":{"a":"${prompt}"}}`,
        `{"model":"broken","messages":[{"role":"user","content":"${prompt}"}],"input":"${prompt}","prompt":"${prompt}"}`,
        `${prompt}`,
      ];
      for (const path of [CHAT, "/v1/responses", "/v1/completions", "/invocations"]) {
        for (const body of bodies) {
          const { status, body: answer } = await send(
            target,
            authorized(path, body, "content-type: application/json"),
          );
          assert(status >= 400, `${path} ${body}: ${status}`);
          // A wrong value of a choice is quoted, as that is what helps.
          const shown = body.includes('"temperature"') || body.includes('"role":"My') ? "" : answer;
          assertEquals(shown.includes(prompt), false, `${path} ${body}: ${answer}`);
        }
      }
      assertEquals(target.log().includes(prompt), false);
      for (const secret of Object.values(SECRETS)) assertEquals(target.log().includes(secret), false);
    },
  },
  {
    name: "an error that a browser could take for a page",
    async run(target) {
      const script = "<script>alert(1)</script>";
      for (const path of [`/${script}`, `/v1/models/${script}`]) {
        const answer = await send(target, plain(`GET ${encodeURI(path)}`, AUTHORIZATION, "accept: text/html"));
        assertEquals([answer.status, answer.headers.get("content-type")], [404, "application/json"]);
      }
      const page = await send(target, plain("GET /", "accept: text/html"));
      assertMatch(page.headers.get("content-security-policy") ?? "", /default-src 'none'|default-src 'self'/);
    },
  },
];
