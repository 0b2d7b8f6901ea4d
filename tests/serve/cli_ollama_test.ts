import { assert, assertEquals, assertMatch } from "@std/assert";
import { chat, modelNames, NO_OLLAMA, start } from "./_command.ts";

interface FakeOllama extends AsyncDisposable {
  /** As for `OLLAMA_HOST`. */
  readonly host: string;
  /** What it was asked, as `POST /api/chat`. */
  readonly asked: string[];
}

/** An Ollama of which no more is there than these models, by name and what they can do. */
function startOllama(models: Readonly<Record<string, readonly string[]>>): FakeOllama {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(`${request.method} ${pathname}`);
    const body = request.method === "POST" ? await request.json() : undefined;
    switch (pathname) {
      case "/api/version":
        return Response.json({ version: "0.99.1" });
      case "/api/tags":
        return Response.json({
          models: Object.keys(models).map((name, i) => ({
            name,
            model: name,
            modified_at: "2026-01-02T03:04:05Z",
            size: 1,
            digest: `digest-${i}`,
          })),
        });
      case "/api/show":
        return Response.json({ capabilities: models[body.model], model_info: {}, details: {} });
      case "/api/chat": {
        if (!(body.model in models) && !(`${body.model}:latest` in models)) {
          return Response.json({ error: `model '${body.model}' not found` }, { status: 404 });
        }
        const record = { model: body.model, created_at: "2026-01-02T03:04:05Z" };
        const message = { role: "assistant", content: `${body.model} says hello` };
        const done = { done: true, done_reason: "stop", prompt_eval_count: 1, eval_count: 2 };
        if (body.stream === false) return Response.json({ ...record, message, ...done });
        const lines = [
          { ...record, message, done: false },
          { ...record, message: { ...message, content: "" }, ...done },
        ];
        return new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), {
          headers: { "content-type": "application/x-ndjson" },
        });
      }
      default:
        return new Response("404 page not found", { status: 404 });
    }
  });
  return {
    host: `127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("serve.ts serves the models of the Ollama at OLLAMA_HOST that can chat, under their short names", async () => {
  await using ollama = startOllama({
    "llama3.2:1b": ["completion", "tools"],
    "nomic-embed-text:latest": ["embedding"],
    "qwen3:latest": ["completion"],
    "someone/own:q4": ["completion"],
  });
  await using server = start(["--port=0"], { ollama: ollama.host });
  const url = await server.url();
  assertEquals(await modelNames(url), ["llama3.2:1b", "qwen3", "someone/own:q4"]);
  assert(server.stdout.includes("Ollama 0.99.1") && server.stdout.includes("3 models"), server.stdout);
  assertMatch(await chat(url), /^llama3.2:1b says hello/);
  for (const model of ["qwen3", "qwen3:latest", "someone/own:q4"]) {
    assertEquals(await chat(url, { model }), `${model} says hello`);
  }
  const listed = await fetch(`${url}/v1/models/someone%2Fown%3Aq4`);
  assertEquals((await listed.json()).id, "someone/own:q4");
  const { stderr } = await server.stop();
  assertEquals(stderr, "", "Nothing to complain about");
});

Deno.test("serve.ts answers 404 with what to pull for a model that Ollama has not", async () => {
  await using ollama = startOllama({ "llama3.2:1b": ["completion"] });
  await using server = start(["--port=0"], { ollama: ollama.host });
  const url = await server.url();
  const body = JSON.stringify({ model: "nope", messages: [{ role: "user", content: "Hi" }] });
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", body });
  const { error } = await response.json();
  assertEquals([response.status, error.code], [404, "model_not_found"]);
  assert(error.message.includes("ollama pull nope"), error.message);
  await server.stop();
});

Deno.test("serve.ts --model ollama:NAME serves that model only, under its name or another", async () => {
  await using ollama = startOllama({ "llama3.2:1b": ["completion"], "qwen3:latest": ["completion"] });
  await using server = start(["--port=0", "--model", "ollama:llama3.2:1b", "--model", "small=ollama:qwen3"], {
    ollama: ollama.host,
  });
  const url = await server.url();
  assertEquals(await modelNames(url), ["llama3.2:1b", "small"]);
  assertEquals(await chat(url), "llama3.2:1b says hello");
  assertEquals(await chat(url, { model: "small" }), "qwen3 says hello");
  await server.stop();
});

Deno.test("serve.ts serves the demo model, loudly, when Ollama has no model that can chat", async () => {
  for (const models of [{}, { "nomic-embed-text:latest": ["embedding"] }]) {
    await using ollama = startOllama(models);
    await using server = start(["--port=0"], { ollama: ollama.host });
    assertEquals(await modelNames(await server.url()), ["demo"]);
    const { stderr } = await server.stop();
    for (const words of [ollama.host, "no model that can chat", "DEMO MODEL", "ollama pull"]) {
      assert(stderr.includes(words), stderr);
    }
  }
});

Deno.test("serve.ts serves the demo model, loudly, when there is no Ollama", async () => {
  await using server = start(["--port=0"]);
  const url = await server.url();
  assertEquals(await modelNames(url), ["demo"]);
  assert((await chat(url)).length > 0);
  const { stdout, stderr } = await server.stop();
  for (const words of [NO_OLLAMA, "refused", "DEMO MODEL", "ollama serve", "ollama pull", "OLLAMA_HOST"]) {
    assert(stderr.includes(words), stderr);
  }
  assert(stdout.includes("(models: demo)"), stdout);
});

Deno.test("serve.ts serves the demo model when something else listens at OLLAMA_HOST", async () => {
  await using other = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response("<html>Not Ollama</html>", { headers: { "content-type": "text/html" } }),
  );
  await using server = start(["--port=0"], { ollama: `127.0.0.1:${other.addr.port}` });
  assertEquals(await modelNames(await server.url()), ["demo"]);
  const { stderr } = await server.stop();
  assert(stderr.includes(`127.0.0.1:${other.addr.port}`) && stderr.includes("DEMO MODEL"), stderr);
});

Deno.test("serve.ts does not wait forever for an Ollama that says nothing", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  await using server = start(["--port=0"], { ollama: `127.0.0.1:${listener.addr.port}` });
  assertEquals(await modelNames(await server.url()), ["demo"]);
  const { stderr } = await server.stop();
  assert(stderr.includes("DEMO MODEL"), stderr);
});

Deno.test("serve.ts names what is wrong with OLLAMA_HOST, and goes on", async () => {
  for (const host of ["ftp://127.0.0.1", "http://a b"]) {
    await using server = start(["--port=0"], { ollama: host });
    assertEquals(await modelNames(await server.url()), ["demo"]);
    const { stderr } = await server.stop();
    assert(stderr.includes(`"${host}"`) && stderr.includes("host:port"), stderr);
    assert(!stderr.includes("    at "), stderr);
  }
  // A port that is none is replaced, as Ollama itself does.
  await using server = start(["--port=0"], { ollama: "127.0.0.1:99999" });
  await server.url();
  const { stderr } = await server.stop();
  assertMatch(stderr, /^warning: .*"99999"/);
});

Deno.test("serve.ts starts where OLLAMA_HOST may not be read, and asks nothing", async () => {
  await using server = start(["--port=0", "--model=demo"], { permissions: ["--allow-net"] });
  assert((await chat(await server.url())).length > 0);
  const { stderr, stdout } = await server.stop();
  assertEquals(stderr, "");
  assert(!/permission|Allow\?/i.test(stdout), stdout);
  // Without --model, the port that Ollama has by default is tried, whatever answers there.
  await using other = start(["--port=0"], { permissions: ["--allow-net"], ollama: "ftp://not-read" });
  await other.url();
  assert(!(await other.stop()).stderr.includes("not-read"));
});
