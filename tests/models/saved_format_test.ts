import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ChatModelError } from "@chatmodel/chat-model";
import { getModelInfo, loadModel } from "@chatmodel/chat-model/models";
import { parseMlmodel } from "../../models/mlmodel_file.ts";
import { CHAT_MODEL_SIGNATURE } from "../../signature/mod.ts";
import { makeFolder } from "./_folder.ts";
import { answer, ask, copyFolder } from "./_models.ts";

const FOLDER = fromFileUrl(new URL("../testdata/models/echo_0.1.0", import.meta.url));

Deno.test("getModelInfo() reads what version 0.1.0 saved", async () => {
  const { files, ...info } = await getModelInfo(FOLDER);
  assertEquals(info, {
    modelUri: FOLDER,
    name: "model",
    modelPath: "src/model.ts",
    modelUuid: "aa7ec20df02b43d89634b66a851bf5e9",
    kind: "chat",
    streamable: true,
    flavors: ["deno_function", "python_function"],
    signature: CHAT_MODEL_SIGNATURE,
    inputExample: { path: "input_example.json", servingPath: "serving_input_example.json", hasParams: false },
    artifacts: { greeting: { path: "artifacts/greeting.txt", uri: "greeting.txt" } },
    modelConfig: { style: { mark: "!" }, key: "env:ECHO_KEY" },
    metadata: { task: "agent/v1/chat", note: "A fixture" },
    permissions: { net: true, env: ["ECHO_KEY"] },
    packageVersion: "0.1.0",
    denoVersion: "2.9.6",
    mlflowVersion: "3.17.2",
    modelSizeBytes: 30_774,
    utcTimeCreated: "2026-11-24 12:23:34.033000",
  });
  assertEquals(files?.length, 12);
  const { deno } = parseMlmodel(await Deno.readTextFile(join(FOLDER, "MLmodel")), FOLDER);
  assertEquals([deno?.lock, deno?.denoPath], ["deno.lock", "/usr/local/bin/deno"]);
});

Deno.test("loadModel() runs what version 0.1.0 saved", async () => {
  const model = await loadModel(FOLDER);
  assertEquals(model.name, "model");
  assertEquals(await answer(model, "Hello there"), "Good day, Hello there!");
  const pieces: unknown[] = [];
  for await (const { choices } of model.predictStream(ask("you"))) pieces.push(choices[0]?.delta.content);
  assertEquals(pieces.filter((piece) => piece), ["Good day, ", "you", "!"]);

  const louder = await loadModel(FOLDER, { modelConfig: { style: { mark: "!!" } } });
  assertEquals(await answer(louder, "you"), "Good day, you!!");
  const output = JSON.parse(await Deno.readTextFile(join(FOLDER, "output_example.json")));
  assertEquals(output.choices[0].message.content, "Good day, Hello there!");
});

Deno.test("loadModel() refuses what version 0.1.0 saved where it was changed since", async () => {
  await using parent = await makeFolder({});
  const folder = join(parent.path, "echo");
  await copyFolder(FOLDER, folder);
  await Deno.writeTextFile(join(folder, "artifacts/greeting.txt"), "Good bye,\n");
  const error = await assertRejects(() => loadModel(folder), ChatModelError, '"artifacts/greeting.txt"');
  assertEquals(error.code, "model_changed");
});
