import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { downloadModel, getModelInfo, loadModel, logModel, saveModel } from "@chatmodel/chat-model/models";
import { checkOptions } from "../../models/_check_options.ts";
import { ValidationError } from "../../types/mod.ts";
import { makeFolder } from "./_folder.ts";
import { authorFolder, noteCalls } from "./_models.ts";

const NAMES = { model: true, inputExample: true, registeredModelName: true } as const;

for (
  const [options, message] of [
    [{ input_example: {} }, '"input_example": is no option: did you mean "inputExample"?'],
    [{ inputExmaple: {} }, '"inputExmaple": is no option: did you mean "inputExample"?'],
    [
      { zzz: 1, registered_model_name: "x" },
      '"zzz": is no option: known are "model", "inputExample", "registeredModelName"; ' +
      '"registered_model_name": is no option: did you mean "registeredModelName"?',
    ],
    [
      { signature: {} },
      "\"signature\": cannot be given: a chat model has MLflow's one signature, and a custom model's follows from its inputExample",
    ],
  ] as const
) {
  Deno.test(`checkOptions() refuses ${JSON.stringify(options)}, with all that is wrong`, () => {
    const error = assertThrows(() => Reflect.apply(checkOptions, undefined, ["save model", options, NAMES]));
    assertEquals(error instanceof ValidationError && error.message, `Cannot save model: ${message}`);
    assertEquals(error instanceof ValidationError && error.issues.map(({ path }) => path), Object.keys(options));
  });
}

Deno.test("checkOptions() takes options that are left out or undefined, and refuses what is no object", () => {
  Reflect.apply(checkOptions, undefined, ["save model", {}, NAMES]);
  Reflect.apply(checkOptions, undefined, ["save model", { model: undefined, signature: undefined }, NAMES]);
  for (const options of [undefined, null, "model.ts"]) {
    assertThrows(
      () => Reflect.apply(checkOptions, undefined, ["save model", options, NAMES]),
      ValidationError,
      'Cannot save model: "options": must be an object',
    );
  }
});

Deno.test("saveModel(), logModel(), loadModel() and downloadModel() refuse options that do not exist, and do nothing", async () => {
  await using folder = await makeFolder({ "model.ts": "throw new Error('imported');\n" });
  const model = `${folder.path}/model.ts`;
  const calls: readonly (readonly [call: (...given: never[]) => Promise<unknown>, given: readonly unknown[]])[] = [
    [saveModel, [`${folder.path}/saved`, { model, signature: {} }]],
    [logModel, [{ model, name: "m", signature: {} }]],
    [loadModel, [model, { signature: {} }]],
    [downloadModel, [folder.path, { signature: {} }]],
  ];
  for (const [call, given] of calls) {
    const error = await assertRejects(() => Reflect.apply(call, undefined, given), ValidationError);
    assertEquals(error.issues.map(({ path }) => path), ["signature"], call.name);
  }
  await assertRejects(() => getModelInfo(`${folder.path}/saved`));
});

for (
  const [options, issue] of [
    [{ validate: false }, '"validate": must be "predict" or "stream", or left out, but is false'],
    [{ validate: true }, '"validate": must be "predict" or "stream", or left out, but is true'],
    [{ validate: "Predict" }, '"validate": must be "predict" or "stream", or left out, but is "Predict"'],
    [{ codePaths: "lib" }, '"codePaths": must be an array of texts, but is "lib"'],
    [{ codePaths: ["lib", 1] }, '"codePaths.1": must be a text, but is 1'],
    [{ artifacts: ["a.txt"] }, '"artifacts": must be an object of texts, but is an array'],
    [{ artifacts: { a: 1 } }, '"artifacts.a": must be a text, but is 1'],
    [{ metadata: { a: 1n } }, '"metadata.a": is a bigint, which JSON has not'],
    [{ metadata: "x" }, '"metadata": must be an object, but is "x"'],
    [{ signal: {} }, '"signal": must be an AbortSignal, but is an object'],
  ] as const
) {
  Deno.test(`saveModel() names the option of ${Deno.inspect(options)}, and imports nothing`, async () => {
    await using folder = await makeFolder({ "model.ts": "throw new Error('imported');\n" });
    const model = `${folder.path}/model.ts`;
    const call = () => Reflect.apply(saveModel, undefined, [`${folder.path}/out`, { model, ...options }]);
    const error = await assertRejects(call, ValidationError);
    assertEquals([error.message, error.code], [`Cannot save model: ${issue}`, "invalid_value"]);
  });
}

Deno.test("saveModel() takes options that are null as left out, and does not call the model for it", async () => {
  await using author = await authorFolder();
  using noted = noteCalls();
  const nothing = {
    inputExample: null,
    artifacts: null,
    modelConfig: null,
    codePaths: null,
    metadata: null,
    permissions: null,
    validate: null,
    signal: null,
  };
  const path = `${author.path}/out`;
  await Reflect.apply(saveModel, undefined, [path, { model: `${author.path}/model.ts`, ...nothing }]);
  assertEquals(noted.calls, ["import"]);
  const { metadata, permissions } = await getModelInfo(path);
  assertEquals([metadata, permissions], [{ task: "agent/v1/chat" }, { net: true, env: true }]);
});

Deno.test("saveModel() says how it is called where it is given options alone", async () => {
  for (const given of [[{ path: "out", model: "model.ts" }], ["", { model: "model.ts" }]]) {
    const error = await assertRejects(() => Reflect.apply(saveModel, undefined, given), ValidationError);
    assertEquals(
      error.message,
      'Cannot save model: "path": must be the path of the folder. Write saveModel("folder", { model: "model.ts" })',
    );
  }
});

Deno.test("logModel() and loadModel() name options of the wrong kind", async () => {
  const calls: readonly (readonly [call: (...given: never[]) => Promise<unknown>, given: unknown[], path: string])[] = [
    [logModel, [{ model: "m.ts", name: 5 }], "name"],
    [logModel, [{ model: "m.ts", name: "n", tags: { a: 1 } }], "tags.a"],
    [logModel, [{ model: "m.ts", name: "n", params: [] }], "params"],
    [logModel, [{ model: "m.ts", name: "n", registeredModelName: {} }], "registeredModelName"],
    [logModel, [{ model: "m.ts", name: "n", onProgress: true }], "onProgress"],
    [loadModel, ["m.ts", { kind: "agent" }], "kind"],
    [loadModel, ["m.ts", { modelConfigFile: {} }], "modelConfigFile"],
    [loadModel, ["m.ts", { modelConfig: "a.yaml", modelConfigFile: "b.yaml" }], "modelConfigFile"],
    [downloadModel, ["m", { signal: 1 }], "signal"],
  ];
  await using folder = await makeFolder({ "m.ts": "throw new Error('imported');\n" });
  const before = Deno.cwd();
  Deno.chdir(folder.path);
  try {
    for (const [call, given, path] of calls) {
      const error = await assertRejects(() => Reflect.apply(call, undefined, given), ValidationError);
      assertEquals(error.issues.map((issue) => issue.path), [path], call.name);
    }
  } finally {
    Deno.chdir(before);
  }
});
