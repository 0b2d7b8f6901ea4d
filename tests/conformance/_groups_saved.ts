import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ChatModel, ChatModelError, setModel } from "../../mod.ts";
import { getModelInfo, loadModel, saveModel, type SaveModelOptions } from "../../models/mod.ts";
import { parseChatRequest } from "../../types/mod.ts";
import { makeFolder } from "../models/_folder.ts";
import type { Group } from "./_case.ts";
import { LOADED_DIFFERENT, SAVE_DIFFERENT } from "./_different_saved.ts";
import { at, predict } from "./_run.ts";
import { FILES, OK, VALIDATED } from "./_saved_models.ts";
import { isRecord, type Vector } from "./_vectors.ts";

class Instance extends ChatModel {
  override predict(): string {
    return "ok";
  }
}

/** What stands for a vector's input where the recording describes it in words. */
const OPTIONS: { readonly [name: string]: { readonly [option: string]: unknown } } = {
  "save: example ChatCompletionRequest": {
    inputExample: parseChatRequest({ messages: [{ role: "user", content: "x" }] }),
  },
  // A table of rows, as JSON has it.
  "save: example DataFrame": { inputExample: { dataframe_records: [{ messages: [{ role: "user", content: "x" }] }] } },
  "save: signature given": { signature: { inputs: [], outputs: [] } },
  "save: instance": { model: new Instance() },
  "save: class not instance": { model: Instance },
  "save: model_config non-JSON": { modelConfig: { a: Symbol("object") } },
  "save: path missing": { model: "nope_model.ts" },
};

const NAMES: { readonly [name: string]: string } = { input_example: "inputExample", model_config: "modelConfig" };

/** Saving. */
export const SAVE: Group = {
  title: "saveModel()",
  runs: '`saveModel`, with `validate: "predict"` where the vector is about the call that MLflow always makes',
  holds: ({ name }) => name.startsWith("save: "),
  run: runSave,
  read: readSaved,
  different: SAVE_DIFFERENT,
};

async function runSave({ name, input }: Vector): Promise<unknown> {
  await using folder = await makeFolder({ "model.ts": FILES[name] ?? OK });
  const given = OPTIONS[name] ?? (isRecord(input) ? input : {});
  const options = {
    model: join(folder.path, "model.ts"),
    ...(VALIDATED.has(name) && { validate: "predict" }),
    ...Object.fromEntries(Object.entries(given).map(([key, value]) => [NAMES[key] ?? key, withoutClass(value)])),
  };
  // A model that another file named before, of which this one must not hear.
  if (name.startsWith("save: no set_model")) setModel(new Instance());
  const path = join(folder.path, "saved");
  await Reflect.apply(saveModel, undefined, [path, options]);
  const info = await getModelInfo(path);
  return {
    input_example_json: await folder.read("saved/input_example.json"),
    serving_input_example_json: await folder.read("saved/serving_input_example.json"),
    saved_input_example_info: {
      artifact_path: info.inputExample?.path,
      serving_input_path: info.inputExample?.servingPath,
      type: "json_object",
    },
    metadata: info.metadata,
    streamable: info.streamable,
    config: info.modelConfig,
  };
}

/** Messages are plain objects: what the recording notes of their class is left out. */
function withoutClass(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown) => {
    if (!isRecord(item)) return item;
    const { $class: _, ...members } = item;
    return members;
  });
}

/** What a saved folder says, but for the loader that MLflow's Python uses. */
function readSaved(saved: unknown, { name }: Vector): unknown {
  if (!isRecord(saved)) return saved;
  const { input_example_json: example, serving_input_example_json: serving, ...rest } = saved;
  const { loader_module: _, has_params_schema: _schema, config, ...about } = rest;
  return {
    ...about,
    ...(isRecord(config) && Object.keys(config).length > 0 && { config }),
    // Byte for byte, unless one has more in it.
    ...(Object.hasOwn(SAVE_DIFFERENT, name)
      ? { example: JSON.parse(String(example)), serving: JSON.parse(String(serving)) }
      : { example, serving }),
  };
}

/** Types refuse what Python's `save_model` refuses when it runs. */
export const REFUSED_BY_TYPES: readonly SaveModelOptions[] = [
  // @ts-expect-error The signature of chat models is fixed: there is no such option.
  { model: "model.ts", signature: {} },
  // @ts-expect-error There is no such option.
  { model: "model.ts", zzz: 1 },
];

/** What a loaded model tells, and what it lets the loader change. */
export const LOADED: Group = {
  title: "loadModel()",
  runs: "`loadModel` and `getModelInfo` of a saved folder",
  holds: ({ name }) =>
    /^(MLmodel streamable|get_raw_model|unwrap_python_model|loaded\.)/.test(name) ||
    ["load: override on model without config", "load: no dir"].includes(name),
  run: runLoaded,
  different: LOADED_DIFFERENT,
};

async function runLoaded({ name, input }: Vector): Promise<unknown> {
  await using folder = await makeFolder({ "model.ts": OK });
  const path = join(folder.path, "saved");
  if (name === "load: no dir") return await loadModel(path);
  const messages = [{ role: "user", content: "x" }];
  await saveModel(path, { model: join(folder.path, "model.ts"), inputExample: { messages } });
  const info = await getModelInfo(path);
  switch (name) {
    case "loaded.input_example":
      return JSON.parse(await folder.read(join("saved", info.inputExample?.path ?? "")));
    case "loaded.metadata.metadata":
      return info.metadata;
    case "MLmodel streamable of model without predict_stream":
      return info.streamable;
    case "load: override on model without config": {
      const model = await loadModel(path, { modelConfig: checkConfig(input) });
      return at(await predict(model, { messages }), "choices", 0, "message", "content");
    }
    default: {
      const object = authorsObject(await loadModel(path));
      if (object === undefined) throw new ChatModelError("Cannot unwrap model: the author's object is not handed out");
      return object.constructor.name;
    }
  }
}

function checkConfig(input: unknown): { readonly a: number } {
  assertEquals(input, { a: 1 });
  return { a: 1 };
}

/** The object of the author's class, if it can be had. */
function authorsObject(model: object): ChatModel | undefined {
  const members = [...Reflect.ownKeys(model), ...Reflect.ownKeys(Object.getPrototypeOf(model))];
  return members.map((key): unknown => Reflect.get(model, key)).find((value) => ChatModel.isInstance(value));
}
