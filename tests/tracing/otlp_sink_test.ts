import { assert, assertEquals } from "@std/assert";
import { ChatModel, loadChatModel } from "../../mod.ts";
import { enableTracing, type TracingOptions } from "../../tracing/mod.ts";

class Whole extends ChatModel {
  override predict() {
    return "Hello";
  }
}

/** What a collector got, and what was said and lost. */
interface Sent {
  readonly requests: { readonly path: string; readonly headers: Headers; readonly text: string }[];
  readonly warnings: string[];
  readonly dropped: number;
}

/** Sends one span to a collector that answers as told. */
async function sent(respond: (count: number) => Response, options: TracingOptions = {}, path = ""): Promise<Sent> {
  const requests: Sent["requests"] = [];
  const warnings: string[] = [];
  await using collector = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const text = new TextDecoder("latin1").decode(await request.bytes());
    requests.push({ path: new URL(request.url).pathname, headers: request.headers, text });
    return respond(requests.length);
  });
  const tracing = await enableTracing({
    endpoint: `http://127.0.0.1:${collector.addr.port}${path}`,
    onWarning: (message) => warnings.push(message.replace(/127\.0\.0\.1:\d+/, "<host>")),
    ...options,
  });
  const model = await loadChatModel(Whole, { name: "m" });
  await model.predict({ messages: [{ role: "user", content: "hunter2" }] });
  await tracing.flush();
  const { dropped } = tracing;
  await tracing.shutdown(100);
  return { requests, warnings, dropped };
}

Deno.test("enableTracing() sends protobuf by OTLP, without what was said unless told to", async () => {
  for (const captureContent of [false, true]) {
    const { requests: [request], warnings, dropped } = await sent(() => new Response(), {
      captureContent,
      headers: { "x-key": "k" },
      serviceName: "greetings",
      tags: { team: "x" },
    });
    assertEquals([warnings, dropped], [[], 0]);
    assertEquals(request?.path, "/v1/traces");
    assertEquals(request?.headers.get("content-type"), "application/x-protobuf");
    assertEquals(request?.headers.get("x-key"), "k");
    for (const text of ["chat m", "gen_ai.operation.name", "mlflow.spanType", "service.name", "greetings", "team"]) {
      assert(request?.text.includes(text), text);
    }
    assertEquals(request?.text.includes("hunter2"), captureContent);
    assertEquals(request?.text.includes("gen_ai.input.messages"), captureContent);
  }
});

Deno.test("enableTracing() sends to the endpoint's own path if it has one", async () => {
  const { requests } = await sent(() => new Response(), {}, "/collect");
  assertEquals(requests.map(({ path }) => path), ["/collect"]);
});

Deno.test("enableTracing() counts what a collector refuses, and does not send it again", async () => {
  const { requests, warnings, dropped } = await sent(() => new Response("no such tenant", { status: 400 }));
  assertEquals([requests.length, dropped], [1, 1]);
  assertEquals(warnings, [
    "Traces are incomplete: 1 span was dropped so far: it answers with status 400: no such tenant",
  ]);
});

Deno.test("enableTracing() counts what a collector takes only in part", async () => {
  // ExportTraceServiceResponse { partial_success { rejected_spans: 1 } }
  const body = Uint8Array.of(0x0a, 0x02, 0x08, 0x01);
  const { dropped, warnings } = await sent(
    () => new Response(body, { headers: { "content-type": "application/x-protobuf" } }),
  );
  assertEquals(dropped, 1);
  assert(warnings[0]?.endsWith("1 spans were refused"), warnings[0]);
});

Deno.test("enableTracing() keeps what a collector cannot take now", async () => {
  const { requests, dropped, warnings } = await sent((count) =>
    new Response(null, { status: count === 1 ? 503 : 200 })
  );
  assertEquals([requests.length, dropped], [2, 0]);
  assertEquals(warnings, [
    'Cannot send traces to "http://<host>/v1/traces": it answers with status 503. Calls are not affected; it is tried again',
  ]);
});
