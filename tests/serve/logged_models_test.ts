/** What was logged is served, by folder and by URI. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { loadModel, logModel, saveModel } from "../../models/mod.ts";
import { openModelRegistry } from "../../registry/mod.ts";
import { closeTracking, setTrackingUri } from "../../tracking/mod.ts";
import { ROOT, startServing } from "../support/command.ts";

const REQUEST = { messages: [{ role: "user", content: "Hi" }] };

// deno-lint-ignore no-explicit-any -- what the tests look into
async function post(url: string, path: string, body: unknown): Promise<{ status: number; json: any }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, json: await response.json() };
}

Deno.test("serve.ts serves models by URI, folders and custom models side by side", async () => {
  const folder = await Deno.makeTempDir({ prefix: "served-" });
  const uri = `sqlite:///${join(folder, "mlflow.db")}`;
  setTrackingUri(uri);
  try {
    const custom = join(folder, "words.ts");
    await Deno.writeTextFile(
      custom,
      `import { CustomModel } from "@chatmodel/chat-model";
export default class Words extends CustomModel {
  override predict(_context: unknown, input: { text: string }, params: Record<string, unknown>) {
    return { words: input.text.split(" ").length * Number(params.factor ?? 1) };
  }
}
`,
    );
    await logModel({ name: "hello", model: join(ROOT, "examples/hello.ts"), registeredModelName: "assistant" });
    {
      await using registry = openModelRegistry(uri);
      await registry.setAlias("assistant", "champion", 1);
    }
    await saveModel(join(folder, "words"), { model: custom, inputExample: [{ text: "a b" }, { factor: 2 }] });
    await using server = await startServing([
      ...["run", "-A", join(ROOT, "serve.ts"), "--port", "0"],
      ...["--model", "models:/assistant@champion", "--model", `saved=${join(folder, "words")}`],
    ], { MLFLOW_TRACKING_URI: uri });
    const models = await (await fetch(`${server.url}/v1/models`)).json();
    assertEquals(models.data.map(({ id }: { id: string }) => id), ["assistant"]);
    const answer = await post(server.url, "/v1/chat/completions", REQUEST);
    assertEquals(answer.json.model, "assistant");
    assertEquals(answer.json.choices[0].message.content, "Hello, world");
    assertEquals(
      (await post(server.url, "/invocations", { model: "saved", inputs: { text: "a b c" } })).json,
      { predictions: { words: 6 } },
    );
    const refused = await post(server.url, "/v1/chat/completions", { model: "saved", ...REQUEST });
    assertEquals([refused.status, refused.json.error.code], [400, "unsupported_model"]);
    assertStringIncludes(refused.json.error.message, "POST /invocations");
  } finally {
    await closeTracking();
    setTrackingUri("");
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serve.ts serves saved models under the names that loadModel() gives them", async () => {
  const folder = await Deno.makeTempDir({ prefix: "served-" });
  const uri = `sqlite:///${join(folder, "mlflow.db")}`;
  setTrackingUri(uri);
  try {
    const file = join(ROOT, "examples/hello.ts");
    const first = await logModel({ name: "by_id", model: file });
    const second = await logModel({ name: "by_folder", model: file, registeredModelName: "registered" });
    await saveModel(join(folder, "artifacts"), { model: file });
    const specs = [first.modelUri, second.artifactPath ?? "", "models:/registered/1", join(folder, "artifacts")];
    const names = await Promise.all(specs.map(async (spec) => (await loadModel(spec)).name));
    assertEquals(names, ["by_id", "by_folder", "registered", "hello"]);
    const args = ["run", "-A", join(ROOT, "serve.ts"), "--port", "0"];
    {
      await using server = await startServing([...args, ...specs.flatMap((spec) => ["--model", spec])], {
        MLFLOW_TRACKING_URI: uri,
      });
      const models = await (await fetch(`${server.url}/v1/models`)).json();
      assertEquals(models.data.map(({ id }: { id: string }) => id), names);
      const answer = await post(server.url, "/v1/chat/completions", { model: "by_folder", ...REQUEST });
      assertEquals([answer.status, answer.json.model], [200, "by_folder"]);
    }
    const twice = await assertRejects(
      () => startServing([...args, "--model", first.modelUri, "--model", first.modelUri], { MLFLOW_TRACKING_URI: uri }),
      Error,
    );
    assertStringIncludes(twice.message, 'Cannot serve two models as "by_id"');
  } finally {
    await closeTracking();
    setTrackingUri("");
    await Deno.remove(folder, { recursive: true });
  }
});
