/** Traces and a server of MLflow 2, which takes none by OTLP. */
import { assert, assertEquals } from "@std/assert";
import { loadChatModel } from "../mod.ts";
import { DemoChatModel } from "../adapters/demo/mod.ts";
import { enableTracing } from "../tracing/mod.ts";

Deno.test("enableTracing() says that the server is too old, once, and calls go on", async () => {
  const warnings: string[] = [];
  const tracing = await enableTracing({
    store: Deno.env.get("MLFLOW_TRACKING_URI") ?? "",
    interval: 0,
    onWarning: (message) => warnings.push(message),
  });
  const model = await loadChatModel(DemoChatModel);
  for (let i = 0; i < 3; i++) await model.predict({ messages: [{ role: "user", content: "Hi" }] });
  assertEquals(await tracing.flush(60_000), true);
  assertEquals(tracing.dropped, 3);
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("Use a server of MLflow 3.6 or newer"), warnings[0]);
  await tracing.shutdown();
});
