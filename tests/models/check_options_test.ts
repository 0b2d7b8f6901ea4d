import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { downloadModel, getModelInfo, loadModel, logModel, saveModel } from "@chatmodel/chat-model/models";
import { checkOptions } from "../../models/_check_options.ts";
import { ValidationError } from "../../types/mod.ts";
import { makeFolder } from "./_folder.ts";

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
