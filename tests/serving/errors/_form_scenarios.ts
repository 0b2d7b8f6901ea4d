/** Errors of requests that are wrong as HTTP or as JSON. */
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { createApp } from "../../../serve.ts";
import { makeServer } from "../../../serving/_http_server.ts";
import type { Connection } from "../../../serving/_connection.ts";
import type { Duplex } from "node:stream";
import { HELLO, plain, post } from "../_wire.ts";
import type { Scenario } from "./_scenario.ts";
import { serve, type Served } from "./_served.ts";

const start = () => serve({ demo: DemoChatModel });
const startSmall = () => serve({ demo: DemoChatModel }, { maxBodySize: 20 });

function packed(path: string, encoding: string): string {
  const head = ["host: localhost", "content-type: application/json", `content-encoding: ${encoding}`];
  return `POST ${path} HTTP/1.1\r\n${head.join("\r\n")}\r\ncontent-length: ${HELLO.length}\r\n\r\n${HELLO}`;
}

/** A request of MLflow's with another body. */
export function invocation(body: string, type = "application/json"): string {
  return `POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Node's own limits are minutes. */
async function startImpatient(): Promise<Served> {
  const connections = new Map<Duplex, Connection>();
  const times = { requestTimeout: 100, headersTimeout: 100, connectionsCheckingInterval: 20 };
  const server = makeServer(createApp({ demo: DemoChatModel }), connections, times);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What `listen()` tells a client that sends half a body, `Deno.serve` does too. */
function startOnDeno(): Promise<Served> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    createApp({ demo: DemoChatModel }).fetch,
  );
  return Promise.resolve({ port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() });
}

/** By code, and by what leads to it. */
export const FORM_SCENARIOS: readonly Scenario[] = [
  { code: "malformed_request", when: "no HTTP comes", start, wire: "BLAH\r\n\r\n" },
  {
    code: "malformed_request",
    when: "a chunk has no size",
    start,
    wire: "POST /v1/responses HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
  },
  { code: "invalid_host_header", when: "no host is named", start, wire: "GET /ping HTTP/1.1\r\n\r\n" },
  {
    code: "invalid_host_header",
    when: "/invocations is asked without a host",
    start,
    wire: "POST /invocations HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}",
    mlflow: true,
  },
  { code: "invalid_url", when: "the target is of another scheme", start, wire: plain("GET ftp://localhost/ping") },
  { code: "unknown_expectation", when: "miracles are expected", start, wire: plain("GET /ping", "expect: miracles") },
  {
    code: "headers_too_large",
    when: "a header is as long as a book",
    start,
    wire: plain("GET /ping", `x-large: ${"y".repeat(100_000)}`),
  },
  { code: "request_timeout", when: "a head stays unfinished", start: startImpatient, wire: "GET /ping HTTP/1.1\r\n" },
  {
    code: "request_timeout",
    when: "a body stays unfinished",
    start: startImpatient,
    wire: post("/v1/chat/completions", "{", 10),
  },
  {
    code: "request_too_large",
    when: "a body is too large",
    start: startSmall,
    wire: post("/v1/chat/completions", HELLO),
  },
  {
    code: "request_too_large",
    when: "a body for /invocations is too large",
    start: startSmall,
    wire: invocation(HELLO),
    mlflow: true,
  },
  {
    code: "incomplete_body",
    when: "a body breaks off",
    start,
    wire: post("/v1/chat/completions", "{", 10),
    ends: true,
  },
  {
    code: "incomplete_body",
    when: "a body in chunks breaks off",
    start,
    wire: `${plain("POST /v1/responses", "transfer-encoding: chunked")}5\r\n{`,
    ends: true,
  },
  {
    code: "incomplete_body",
    when: "a body for /invocations breaks off",
    start,
    wire: invocation(HELLO).slice(0, -1),
    ends: true,
    mlflow: true,
  },
  {
    code: "incomplete_body",
    when: "a body breaks off on Deno.serve",
    start: startOnDeno,
    wire: post("/v1/chat/completions", "{", 10),
    ends: true,
  },
  {
    code: "invalid_encoding",
    when: "a body is not packed as it says",
    start,
    wire: packed("/v1/chat/completions", "gzip"),
  },
  {
    code: "invalid_encoding",
    when: "a body is not UTF-8",
    start,
    wire: new Uint8Array([...new TextEncoder().encode(post("/v1/responses", "", 4)), 0x22, 0xff, 0xfe, 0x22]),
  },
  {
    code: "invalid_encoding",
    when: "a body for /invocations is not packed as it says",
    start,
    wire: packed("/invocations", "br"),
    mlflow: true,
  },
  {
    code: "unsupported_encoding",
    when: "a body is packed in an unknown way",
    start,
    wire: packed("/v1/responses", "compress"),
  },
  {
    code: "unsupported_encoding",
    when: "chunks are packed",
    start,
    wire: `${plain("POST /v1/responses", "transfer-encoding: gzip, chunked")}2\r\n{}\r\n0\r\n\r\n`,
  },
  {
    code: "unsupported_encoding",
    when: "a body for /invocations is packed in an unknown way",
    start,
    wire: packed("/invocations", "compress"),
    mlflow: true,
  },
  {
    code: "unsupported_media_type",
    when: "/invocations gets plain text",
    start,
    wire: invocation(HELLO, "text/plain"),
    mlflow: true,
  },
  {
    code: "array_above_max_length",
    when: "a conversation has more than 10 000 messages",
    param: "messages",
    start,
    wire: post("/v1/chat/completions", `{"messages":[${Array(10_001).fill('{"role":"user","content":"Hi"}').join()}]}`),
  },
  {
    code: "array_above_max_length",
    when: "a response has more than 10 000 items",
    param: "input",
    start,
    wire: post("/v1/responses", `{"input":[${Array(10_001).fill("0").join()}]}`),
  },
  { code: "invalid_json", when: "a body is no JSON", start, wire: post("/v1/chat/completions", '{"messages": [') },
  { code: "invalid_json", when: "a response's body is no JSON", start, wire: post("/v1/responses", "") },
  { code: "invalid_json", when: "/invocations gets no JSON", start, wire: invocation("{]"), mlflow: true },
  { code: "unknown_url", when: "there is no such route", start, wire: plain("GET /v1/nothing") },
  { code: "method_not_supported", when: "a route does not take the method", start, wire: plain("PATCH /v1/models") },
  { code: "method_not_supported", when: "no route takes the method", start, wire: plain("TRACE /v1/models") },
  { code: "method_not_supported", when: "a tunnel is asked for", start, wire: plain("CONNECT localhost:80") },
  {
    code: "method_not_supported",
    when: "/invocations does not take the method",
    start,
    wire: plain("GET /invocations"),
    mlflow: true,
  },
  {
    code: "origin_not_allowed",
    when: "a page of elsewhere asks",
    start,
    wire: plain("GET /v1/models", "origin: https://elsewhere.test"),
  },
  {
    code: "origin_not_allowed",
    when: "a page of elsewhere asks /invocations",
    start,
    wire: plain("GET /invocations", "origin: https://elsewhere.test"),
    mlflow: true,
  },
];
