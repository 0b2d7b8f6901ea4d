import { assert, assertEquals } from "@std/assert";
import { ChatModel, loadChatModel } from "../../mod.ts";
import { enableTracing, type TracingOptions } from "../../tracing/mod.ts";

class Whole extends ChatModel {
  override predict() {
    return "Hello";
  }
}

interface Asked {
  readonly path: string;
  readonly experiment: string | null;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Calls two models, of which one is from a store, with a stand-in for MLflow's server. */
async function callsTo(
  answer: (path: string) => Response,
  options: TracingOptions = {},
): Promise<{ readonly asked: readonly Asked[]; readonly dropped: number; readonly warnings: readonly string[] }> {
  const asked: Asked[] = [];
  const warnings: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname: path } = new URL(request.url);
    asked.push({ path, experiment: request.headers.get("x-mlflow-experiment-id"), body: await request.bytes() });
    return answer(path);
  });
  const tracing = await enableTracing({
    store: `http://127.0.0.1:${server.addr.port}`,
    experiment: { experimentId: "7" },
    interval: 60_000,
    onWarning: (message) => void warnings.push(message),
    ...options,
  });
  const origin = { uri: "models:/m/1", modelId: "m-1", registeredName: "m", registeredVersion: "1" };
  for (const more of [{ origin }, {}]) {
    const model = await loadChatModel(Whole, { name: "m", ...more });
    await model.predict({ messages: [{ role: "user", content: "Hi" }] });
  }
  await tracing.shutdown();
  return { asked, dropped: tracing.dropped, warnings };
}

const fine = () => new Response("{}", { headers: { "content-type": "application/json" } });

Deno.test("enableTracing() sends spans to an MLflow server by OTLP, and links them to run and model", async () => {
  const { asked, dropped, warnings } = await callsTo(fine, { runId: "r1" });
  assertEquals([dropped, warnings], [0, []]);
  assertEquals(asked.map(({ path, experiment }) => [path, experiment]), [
    ["/v1/traces", "7"],
    ["/api/2.0/mlflow/traces/link-to-run", null],
    ["/api/3.0/mlflow/traces", null],
  ]);
  const [, run, model] = asked.map(({ body }) => new TextDecoder().decode(body));
  const { run_id: runId, trace_ids: traceIds } = JSON.parse(run ?? "");
  assertEquals([runId, traceIds.length], ["r1", 2]);
  const { trace: { trace_info: info } } = JSON.parse(model ?? "");
  assert(traceIds.includes(info.trace_id));
  assertEquals([info.state, info.request_preview, info.response_preview], ["OK", "Hi", "Hello"]);
  assertEquals(info.trace_metadata["mlflow.modelId"], "m-1");
  assertEquals(info.trace_metadata["chatmodel.registered_model.version"], "1");
});

Deno.test("enableTracing() keeps traces that an MLflow server does not link, and says so once", async () => {
  const refuse = (path: string) => path === "/v1/traces" ? fine() : new Response("{}", { status: 400 });
  const { asked, dropped, warnings } = await callsTo(refuse, { runId: "gone" });
  assertEquals([asked.length, dropped], [3, 0]);
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.startsWith("Traces are there, but not all are linked to their models and runs: "), warnings[0]);
});
