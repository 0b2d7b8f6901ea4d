import { assert, assertEquals, assertMatch } from "@std/assert";
import { ask, events, Parrot, post as postTo, Scripted, send, testApp } from "./_app.ts";
import { Connection, HELLO, plain, post, start } from "./_wire.ts";

const REQUESTS: readonly [name: string, request: string, status: number][] = [
  ["an answer", post("/v1/chat/completions", HELLO), 200],
  ["an answer without /v1", post("/chat/completions", HELLO), 200],
  ["a list", plain("GET /v1/models"), 200],
  ["a slash at the end", plain("GET /v1/models/"), 200],
  ["HEAD", plain("HEAD /v1/models"), 200],
  ["OPTIONS", plain("OPTIONS /v1/chat/completions"), 204],
  ["a preflight", plain("OPTIONS /v1/models", "origin: http://localhost:1", "access-control-request-method: GET"), 204],
  ["a bad request", post("/v1/chat/completions", "{"), 400],
  ["a bad request of MLflow's", post("/invocations", "{"), 415],
  ["an unknown path", plain("GET /nowhere"), 404],
  ["an unknown model", plain("GET /v1/models/none"), 404],
  ["a wrong method", plain("DELETE /v1/chat/completions"), 405],
  ["MLflow's ping", plain("GET /ping"), 200],
];

for (const [name, request, status] of REQUESTS) {
  Deno.test(`${name} has its request's id and how long it took`, async () => {
    await using listening = await start({}, { parrot: new Parrot() });
    using connection = await Connection.open(listening.port);
    const isHead = request.startsWith("HEAD");
    await connection.send(request);
    const first = await connection.answer({ isHead });
    assertEquals(first.status, status, first.body);
    assertMatch(first.headers.get("x-request-id") ?? "", /^req_[\w-]{10,}$/);
    assertMatch(first.headers.get("openai-processing-ms") ?? "", /^\d{1,4}$/);
    await connection.send(request.replace("host: ", "X-Request-Id: my.own:1\r\nhost: "));
    const second = await connection.answer({ isHead });
    assertEquals([second.status, second.headers.get("x-request-id")], [status, "my.own:1"]);
  });
}

Deno.test("a stream and its failure have their request's id and how long it took to begin", async () => {
  const model = new Scripted({
    // deno-lint-ignore require-yield -- it fails first
    async *fail() {
      throw new Error("No");
    },
    async *go() {
      yield "Yes";
    },
  });
  for (const [content, status] of [["go", 200], ["fail", 500]] as const) {
    const answer = await postTo(testApp({ model }), ask(content, { stream: true }));
    assertEquals(answer.status, status);
    assertMatch(answer.headers.get("x-request-id") ?? "", /^req_/);
    assertMatch(answer.headers.get("openai-processing-ms") ?? "", /^\d+$/);
  }
});

Deno.test("createApp() says how long the model took, not how long its stream did", async () => {
  const slow = new Scripted({
    async *slow() {
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield "Slow";
    },
  });
  const answer = await postTo(testApp({ slow }), ask("slow", { stream: true }));
  assert(Number(answer.headers.get("openai-processing-ms")) >= 50, answer.headers.get("openai-processing-ms") ?? "");
  assertEquals((await events(answer.text)).at(-1), "[DONE]");
});

for (
  const [path, id] of [
    ["/v1/models/llama3.2:1b", "llama3.2:1b"],
    ["/v1/models/llama3.2%3A1b", "llama3.2:1b"],
    ["/v1/models/hf.co%2Forg%2Fname%3AQ4_K_M", "hf.co/org/name:Q4_K_M"],
    ["/v1/models/hf.co/org/name:Q4_K_M", "hf.co/org/name:Q4_K_M"],
    ["/models/hf.co%2forg%2fname%3aQ4_K_M/", "hf.co/org/name:Q4_K_M"],
    ["/v1/models/a%20b", "a b"],
    ["/v1/models/gr%C3%BC%C3%9Fe?x=/y", "grüße"],
    ["/v1/models/100%25", "100%"],
  ] as const
) {
  Deno.test(`listen() finds the model of ${path}`, async () => {
    const model = new Parrot();
    const models = {
      "llama3.2:1b": model,
      "hf.co/org/name:Q4_K_M": model,
      "a b": model,
      "grüße": model,
      "100%": model,
    };
    await using listening = await start({}, models);
    const response = await fetch(`http://127.0.0.1:${listening.port}${path}`);
    const body = await response.json();
    assertEquals([response.status, body.id], [200, id]);
    assertEquals((await send(testApp(models), path)).json.id, id);
  });
}

Deno.test("listen() closes the connection after its answer to HTTP/1.0, unless asked to keep it", async () => {
  await using listening = await start();
  const old = post("/v1/chat/completions", HELLO).replace("HTTP/1.1", "HTTP/1.0");
  {
    using connection = await Connection.open(listening.port);
    await connection.send(old);
    const answer = await connection.toEnd();
    assert(answer.includes("old friend") && /\r\nconnection: close\r\n/i.test(answer), answer);
    assert(!/transfer-encoding/i.test(answer), answer);
  }
  using connection = await Connection.open(listening.port);
  for (let i = 0; i < 2; i++) {
    await connection.send(old.replace("\r\n\r\n", "\r\nconnection: keep-alive\r\n\r\n"));
    const answer = await connection.answer();
    assertEquals([answer.status, answer.headers.get("connection")], [200, "keep-alive"]);
  }
});

Deno.test("listen() streams to HTTP/1.0 without chunks, and closes the connection", async () => {
  await using listening = await start();
  const body = JSON.stringify({ ...JSON.parse(HELLO), stream: true });
  for (const header of ["", "\r\nconnection: keep-alive"]) {
    using connection = await Connection.open(listening.port);
    const request = post("/v1/chat/completions", body).replace("HTTP/1.1", "HTTP/1.0");
    await connection.send(request.replace("\r\n\r\n", `${header}\r\n\r\n`));
    const answer = await connection.toEnd();
    const [head = "", frames = ""] = answer.split(/\r\n\r\n([^]*)/);
    assertMatch(head, /^HTTP\/1\.[01] 200 OK\r\n/);
    assert(!/transfer-encoding/i.test(head) && /\r\nconnection: close/i.test(head), head);
    assert(frames.startsWith("data: {") && frames.endsWith("data: [DONE]\n\n"), frames);
  }
});

Deno.test("listen() streams in chunks to HTTP/1.1, and goes on", async () => {
  await using listening = await start();
  const body = JSON.stringify({ ...JSON.parse(HELLO), stream: true });
  using connection = await Connection.open(listening.port);
  for (let i = 0; i < 2; i++) {
    await connection.send(post("/v1/chat/completions", body));
    const answer = await connection.until("\r\n0\r\n\r\n");
    assert(/\r\ntransfer-encoding: chunked\r\n/i.test(answer) && answer.includes("data: [DONE]\n\n"), answer);
  }
});
