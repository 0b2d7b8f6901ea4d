import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { ChatModelError } from "@chatmodel/chat-model";
import { getModelInfo, saveModel } from "@chatmodel/chat-model/models";
import { ROOT } from "../support/command.ts";
import { authorFolder, namesIn } from "./_models.ts";

const MLFLOW_MODELS = join(ROOT, "tests/testdata/mlflow/models");

Deno.test("getModelInfo() reads each of MLflow's own Python models", async () => {
  await using author = await authorFolder();
  const { signature } = await saveModel(join(author.path, "own"), { model: join(author.path, "model.ts") });
  const names = await namesIn(MLFLOW_MODELS);
  assertEquals(names.length, 8);
  for (const name of names) {
    const path = join(MLFLOW_MODELS, name);
    const info = await getModelInfo(path);
    assertEquals([info.modelUri, info.kind, info.flavors], [path, "python", ["python_function"]], name);
    assertEquals(info.mlflowVersion, "3.17.2", name);
    assertEquals(info.modelUuid, info.modelId, name);
    assertEquals(info.inputExample?.path, "input_example.json", name);
    assertEquals([info.files, info.modelPath, info.permissions], [undefined, undefined, undefined], name);
    if (name === "v3_pythonmodel") continue;
    assertEquals([info.metadata["task"], info.streamable], ["agent/v1/chat", true], name);
    assertEquals(info.signature, signature, name);
  }
});

Deno.test("getModelInfo() reads what is special about some of MLflow's models", async () => {
  const config = await getModelInfo(join(MLFLOW_MODELS, "config_dict_artifacts"));
  assertEquals(config.modelConfig, { greeting: "hello", n: 2, nested: { a: 2 } });
  assertEquals(config.artifacts, { prompt: { path: "artifacts/prompt.txt", uri: "prompt.txt" } });
  assertEquals(config.utcTimeCreated, "2026-11-23 08:07:40.470605");
  assertEquals([config.runId, config.modelSizeBytes], ["49811210745a4856bbaf18bfe933664b", 1209]);

  const custom = await getModelInfo(join(MLFLOW_MODELS, "v3_pythonmodel"));
  assertEquals([custom.streamable, custom.inputExample?.hasParams, custom.metadata], [false, true, {}]);
  assertStringIncludes(custom.signature?.params ?? "", '"name": "seed"');

  const pickled = await getModelInfo(join(MLFLOW_MODELS, "pickled_instance"));
  assertEquals(pickled.metadata, { owner: "me", task: "agent/v1/chat" });
});

Deno.test("getModelInfo() takes a file: address, and tells of a folder without running its code", async () => {
  await using author = await authorFolder();
  const path = join(author.path, "own");
  await saveModel(path, { model: join(author.path, "model.ts"), modelConfig: { key: "env:NOT_SET_ANYWHERE" } });
  await Deno.writeTextFile(join(path, "src/model.ts"), 'throw new Error("It is run");\n');
  const { modelUri, ...info } = await getModelInfo(toFileUrl(path).href);
  assertEquals(modelUri, toFileUrl(path).href);
  assertEquals(info.modelConfig, { key: "env:NOT_SET_ANYWHERE" });
  assertEquals(info.denoVersion, Deno.version.deno);
});

Deno.test("getModelInfo() says what is wrong with a place that tells nothing", async () => {
  await using author = await authorFolder({
    "broken/MLmodel": "flavors: [\n",
    "later/MLmodel": "flavors:\n  deno_function:\n    format_version: 99\n",
  });
  const cases: [string, string, string][] = [
    ["missing", "model_not_found", "there is no such file or folder"],
    ["model.ts", "invalid_mlmodel", "it was not saved"],
    ["lib", "invalid_mlmodel", 'it has no file "MLmodel"'],
    ["broken", "invalid_mlmodel", "it is not valid YAML"],
    ["later", "invalid_mlmodel", "Update @chatmodel/chat-model"],
  ];
  for (const [name, code, text] of cases) {
    const path = join(author.path, name);
    const error = await assertRejects(() => getModelInfo(path), ChatModelError, text);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, path);
  }
});
