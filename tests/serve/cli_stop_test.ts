import { assert, assertEquals, assertRejects } from "@std/assert";
import { ModelFiles, type Running, start } from "./_command.ts";

/** Streams a word, waits for so many ms, streams another. */
const SLOW = `export default class extends ChatModel {
  async *predictStream(context, messages) {
    yield "first";
    const wait = Number(messages.at(-1).content);
    await new Promise((resolve) => setTimeout(resolve, wait));
    yield "second";
  }
}`;

const FOREVER = 2_000_000_000;

async function startSlow(
  files: ModelFiles,
  ...args: readonly string[]
): Promise<{ readonly server: Running; readonly url: string }> {
  const server = start(["--port=0", "--model", files.write("slow.js", SLOW), ...args]);
  try {
    return { server, url: await server.url() };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

function ask(url: string, wait: number, stream: boolean): Promise<Response> {
  const body = JSON.stringify({ stream, messages: [{ role: "user", content: String(wait) }] });
  return fetch(`${url}/v1/chat/completions`, { method: "POST", body });
}

/** Resolves when the model has begun, with all that follows. */
async function openStream(url: string, wait: number): Promise<{ readonly rest: Promise<string> }> {
  const response = await ask(url, wait, true);
  assertEquals(response.status, 200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert(reader);
  let text = "";
  while (!text.includes("first")) text += (await reader.read()).value ?? "";
  return {
    rest: (async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      return text;
    })(),
  };
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`serve.ts ends with exit code 0 on ${signal}, as soon as it says that it listens`, async () => {
    await using server = start(["--port=0", "--model=demo"]);
    await server.url();
    assertEquals((await server.stop(signal)).stderr, "");
  });

  Deno.test(`serve.ts lets an open stream finish on ${signal}`, async () => {
    await using files = new ModelFiles();
    const { server, url } = await startSlow(files);
    await using _server = server;
    const stream = await openStream(url, 300);
    const [text, ended] = await Promise.all([stream.rest, server.stop(signal)]);
    assert(text.includes("second"), text);
    assert(text.endsWith("data: [DONE]\n\n"), text);
    assertEquals(ended.stderr, "");
  });

  Deno.test(`serve.ts takes no more requests after ${signal}, and ends what takes longer than --drain-timeout`, async () => {
    await using files = new ModelFiles();
    const { server, url } = await startSlow(files, "--drain-timeout=1000");
    await using _server = server;
    const stream = await openStream(url, FOREVER);
    const whole = ask(url, FOREVER, false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.kill(signal);
    await refused(url);
    // Told, not cut: the stream ends with an error frame, the other with an error.
    const text = await stream.rest;
    const frames = text.trim().split("\n\n");
    assertEquals(JSON.parse(frames.at(-1)?.replace("data: ", "") ?? "").error.code, "server_stopping");
    assert(!text.includes("[DONE]"), text);
    const response = await whole;
    assertEquals([response.status, (await response.json()).error.code], [503, "server_stopping"]);
    const { code, stderr } = await server.end();
    assertEquals([code, stderr], [0, ""]);
  });

  Deno.test(`serve.ts ends at once at the second ${signal}`, async () => {
    await using files = new ModelFiles();
    const { server, url } = await startSlow(files, "--drain-timeout=600000");
    await using _server = server;
    const { rest } = await openStream(url, FOREVER);
    // The connection breaks: without a word, as the process is gone.
    const broken = assertRejects(() => rest, TypeError);
    server.kill(signal);
    await refused(url);
    server.kill(signal);
    assertEquals((await server.end()).code, signal === "SIGINT" ? 130 : 143);
    await broken;
  });
}

Deno.test("serve.ts ends although a connection is kept alive", async () => {
  await using server = start(["--port=0", "--model=demo"]);
  const { port } = new URL(await server.url());
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await connection.write(new TextEncoder().encode("GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  const buffer = new Uint8Array(4_096);
  const count = await connection.read(buffer);
  assert(new TextDecoder().decode(buffer.subarray(0, count ?? 0)).includes("200 OK"));
  await server.stop();
  assertEquals(await connection.read(buffer), null);
});

Deno.test("serve.ts ends although a client sends half a request and no more", async () => {
  await using server = start(["--port=0", "--model=demo", "--drain-timeout=200"]);
  const { port } = new URL(await server.url());
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await connection.write(
    new TextEncoder().encode(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"mess',
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  await server.stop("SIGTERM");
});

Deno.test("serve.ts ends although a client does not read its stream", async () => {
  await using files = new ModelFiles();
  const path = files.write(
    "flood.js",
    `export default class extends ChatModel {
      async *predictStream() { for (;;) { yield "x".repeat(8000); await new Promise((go) => setTimeout(go)); } }
    }`,
  );
  await using server = start(["--port=0", "--model", path, "--drain-timeout=200"]);
  const { port } = new URL(await server.url());
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "Hi" }] });
  await connection.write(
    new TextEncoder().encode(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.stop("SIGINT");
});

/** Resolves when a server takes no more connections. */
async function refused(url: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    try {
      await (await fetch(`${url}/ping`, { headers: { connection: "close" } })).body?.cancel();
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("The server still takes requests 5 s after it was told to stop");
}
