import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ChatModel } from "../../../mod.ts";
import { loadChatModel } from "../../../loaded_chat_model.ts";
import { setRegistryUri } from "@chatmodel/chat-model/tracking";
import { WatchedModels, type WatchEvent } from "../../../serving/watch/mod.ts";
import { makeFolder } from "../../models/_folder.ts";
import { until } from "../_stack.ts";
import { lineOf, source } from "./_watch.ts";

/** What stands for an MLflow server: of its registry, that one alias stands for one version. */
function startRegistry() {
  const state = { version: "1", mode: "up" as "up" | "down" | "silent" };
  let asked = 0;
  const held: ((response: Response) => void)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked++;
    const { pathname, searchParams } = new URL(request.url);
    assertEquals(pathname, "/api/2.0/mlflow/registered-models/alias");
    assertEquals([searchParams.get("name"), searchParams.get("alias")], ["assistant", "live"]);
    if (state.mode === "down") return new Response("Bad gateway", { status: 502 });
    if (state.mode === "silent") return new Promise<Response>((resolve) => held.push(resolve));
    return Response.json({
      model_version: {
        name: "assistant",
        version: state.version,
        creation_timestamp: 1,
        last_updated_timestamp: 1,
        current_stage: "None",
        source: "models:/m-1",
        status: "READY",
      },
    });
  });
  return {
    state,
    asked: () => asked,
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      for (const resolve of held) resolve(new Response());
      await server.shutdown();
    },
  };
}

class Named extends ChatModel {
  override predict(): string {
    return "Hello";
  }
}

Deno.test("WatchedModels goes on while an MLflow server is down or silent, says so once, and looks again", async () => {
  await using registry = startRegistry();
  setRegistryUri(registry.url);
  const events: WatchEvent[] = [];
  const told = () => events.map(lineOf);
  const uris: string[] = [];
  try {
    await using _models = await WatchedModels.open(new Map([["assistant", "models:/assistant@live"]]), {
      interval: 10,
      lookTimeout: 50,
      onEvent: (event) => events.push(event),
      load(uri, { name }) {
        uris.push(uri);
        return loadChatModel(Named, { name });
      },
    });
    registry.state.mode = "down";
    await until(() => events.length > 0, "that it is down");
    const before = registry.asked();
    await until(() => registry.asked() > before + 5, "further looks");
    assertEquals(told(), ["unreachable 1"]);
    registry.state.mode = "up";
    await until(() => events.length > 1, "that it is back");
    registry.state.mode = "silent";
    await until(() => events.length > 2, "that it is silent");
    registry.state.mode = "up";
    registry.state.version = "2";
    await until(() => told().includes("drained 1"), "the next version");
    assertEquals(told(), [
      "unreachable 1",
      "reachable 1",
      "unreachable 1",
      "reachable 1",
      "loading 1 2",
      "swapped 1 2",
      "drained 1",
    ]);
    // A version that was seen is the one that is loaded, whatever the alias stands for by then.
    assertEquals(uris, ["models:/assistant/1", "models:/assistant/2"]);
    registry.state.mode = "silent";
    const asked = registry.asked();
    await until(() => registry.asked() > asked, "a look that is cut off by the end");
  } finally {
    setRegistryUri("");
  }
});

Deno.test("WatchedModels.checkHealth() fails only if none of the models can answer", async () => {
  await using folder = await makeFolder({
    "model.ts": source("one").replace(
      "override async *predictStream",
      `override checkHealth() { throw new Error("No weights"); }
  override async *predictStream`,
    ),
  });
  const sick = join(folder.path, "model.ts");
  const { signal } = new AbortController();
  await using alone = await WatchedModels.open(new Map([["sick", sick]]));
  const error = await assertRejects(() => alone.checkHealth(signal), Error);
  assert(error.message.includes("No weights"));
  await using beside = await WatchedModels.open(
    new Map<string, string | typeof Named>([["sick", sick], ["named", Named]]),
  );
  await beside.checkHealth(signal);
});
