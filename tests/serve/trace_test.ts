import { assert, assertEquals } from "@std/assert";
import { openTrackingStore, type Trace } from "../../tracking/mod.ts";
import { assertFailed, run, start } from "./_command.ts";

const ALL = ["-A"];
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

/** Asks the server's demo model. */
async function ask(url: string, options: { readonly stream?: boolean; readonly headers?: HeadersInit } = {}) {
  const { stream = false, headers = {} } = options;
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...Object.fromEntries(new Headers(headers)) },
    body: JSON.stringify({ model: "demo", stream, messages: [{ role: "user", content: "Grüße" }] }),
  });
  const text = await response.text();
  assertEquals(response.status, 200, text);
  return text;
}

async function tracesIn(uri: string, experiment: string): Promise<readonly Trace[]> {
  await using store = openTrackingStore(uri);
  const { experimentId = "" } = await store.getExperimentByName(experiment) ?? {};
  const { items } = await store.searchTraces({ experimentIds: [experimentId] });
  return await Promise.all(items.map(({ traceId }) => store.getTrace(traceId)));
}

Deno.test("serve.ts --trace writes calls into MLflow's database, the last ones before it ends", async () => {
  const folder = await Deno.makeTempDir();
  const uri = `sqlite:///${folder}/mlflow.db`;
  {
    const args = ["--model", "demo", "--port", "0", "--trace", uri, "--trace-experiment", "served"];
    await using server = start(args, { permissions: ALL });
    const url = await server.url();
    await ask(url, { headers: { traceparent: TRACEPARENT, "x-session-id": "s1", "x-user-id": "u1" } });
    await ask(url, { stream: true });
    const { stderr } = await server.stop();
    assertEquals(stderr, "");
  }
  const traces = await tracesIn(uri, "served");
  assertEquals(traces.length, 2);
  const called = traces.find(({ info }) => info.traceId === `tr-${TRACE_ID}`);
  const { state, requestPreview, metadata } = called?.info ?? {};
  assertEquals([state, requestPreview], ["OK", "Grüße"]);
  assertEquals([metadata?.["mlflow.trace.session"], metadata?.["mlflow.trace.user"]], ["s1", "u1"]);
  const streamed = traces.find(({ spans: [root] }) => root?.attributes["chatmodel.stream"] === true);
  assert((streamed?.info.responsePreview ?? "").includes("You said: Grüße"));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serve.ts --trace-content off writes nothing of what was said", async () => {
  const folder = await Deno.makeTempDir();
  const uri = `sqlite:///${folder}/mlflow.db`;
  {
    const args = ["--model", "demo", "--port", "0", "--trace", uri, "--trace-content", "off"];
    await using server = start(args, { permissions: ALL });
    await ask(await server.url());
    await server.stop();
  }
  const [trace] = await tracesIn(uri, "Default");
  assertEquals(trace?.info.tokenUsage !== undefined, true);
  assert(!JSON.stringify(trace, (_, value) => typeof value === "bigint" ? String(value) : value).includes("Grüße"));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serve.ts --trace otlp:URL sends to a collector, without what was said", async () => {
  const bodies: Uint8Array<ArrayBuffer>[] = [];
  await using collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (new URL(request.url).pathname === "/v1/traces") bodies.push(await request.bytes());
    return new Response();
  });
  await using server = start(
    ["--model", "demo", "--port", "0", "--trace", `otlp:http://127.0.0.1:${collector.addr.port}`],
  );
  await ask(await server.url(), { headers: { traceparent: TRACEPARENT } });
  await server.stop();
  const hex = (await new Blob(bodies).bytes()).toHex();
  const has = (text: string) => hex.includes(new TextEncoder().encode(text).toHex());
  assertEquals(["chat demo", "chatmodel.stream", "mlflow.spanInputs", "Grüße"].map(has), [true, true, false, false]);
  // The caller's trace and span.
  assert(hex.includes(TRACE_ID) && hex.includes("b7ad6b7169203331"));
});

Deno.test("serve.ts --trace to a server that is not there answers as ever, says so, and ends in good order", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using server = start(["--model", "demo", "--port", "0", "--trace", `http://127.0.0.1:${port}`]);
  const url = await server.url();
  for (let i = 0; i < 5; i++) await ask(url, { stream: i % 2 === 0 });
  await server.says("warning: Cannot send traces to MLflow at");
  const { stderr } = await server.stop();
  assert(stderr.includes("warning: Traces are incomplete: 5 spans were dropped so far: Tracing has ended"), stderr);
});

for (
  const [args, words] of [
    [["--trace", "mlflow.db"], ["--trace must be sqlite:///FILE"]],
    [["--trace", "otlp:nowhere"], ["--trace must be sqlite:///FILE"]],
    [["--trace", "postgresql://u:secret@h/d"], ["--trace must be sqlite:///FILE"]],
    [["--trace-experiment", "x"], ["--trace-experiment needs --trace"]],
    [["--trace-content", "on"], ["--trace-content needs --trace"]],
    [["--trace", "http://127.0.0.1:9", "--trace-content", "yes"], ['--trace-content must be "on" or "off"']],
    [["--trace", "otlp:http://127.0.0.1:9", "--trace-experiment", "x"], ["leave it out with otlp:URL"]],
  ] as const
) {
  Deno.test(`serve.ts refuses ${args.join(" ")}`, async () => {
    const ended = await run(["--model", "demo", "--port", "0", ...args]);
    assertFailed(ended, 2, ...words);
    assert(!ended.stderr.includes("secret"));
  });
}

Deno.test("serve.ts --trace refuses a database that cannot be opened", async () => {
  const args = ["--model", "demo", "--port", "0", "--trace", "sqlite:////nowhere/at/all/mlflow.db"];
  assertFailed(await run(args, { permissions: ALL }), 1, "/nowhere/at/all");
});
