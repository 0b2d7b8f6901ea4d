import { join } from "@std/path";
import { type LoadedChatModel, ModelConfig } from "../../mod.ts";
import { loadModel, saveModel } from "../../models/mod.ts";
import { makeFolder } from "../models/_folder.ts";
import type { Group } from "./_case.ts";
import { CONFIG_DIFFERENT } from "./_different_config.ts";
import { at, predict } from "./_run.ts";
import { modelFile } from "./_saved_models.ts";
import type { Vector } from "./_vectors.ts";

/** Answers with its configuration, as the recorded model does. */
const CONFIGURED = modelFile(
  "override predict({ modelConfig }: ModelContext) {\n" +
    'return `${modelConfig.get("a")}|${JSON.stringify(modelConfig.toObject())}`;\n}',
  "ModelContext",
);

const LOGGED = { a: "logged", nested: { x: 1, y: 2 } };

/** What was in the recorded file: its keys are in MLflow's warning. */
const CONFIG_FILE = "greeting: hi\nn: 1\nnested:\n  a: 5\n";

/** The configuration of a model. */
export const CONFIG: Group = {
  title: "ModelConfig",
  runs: "`loadModel` with `modelConfig` of a folder that `saveModel` wrote; `ModelConfig`",
  holds: ({ name }) => /^(load: (no override|override (existing|new|nested)|env|yaml)|ModelConfig direct)/.test(name),
  run: runConfig,
  read: readConfig,
  different: CONFIG_DIFFERENT,
};

async function runConfig({ name, call, input }: Vector): Promise<unknown> {
  if (name === "ModelConfig direct run") return new ModelConfig({ a: "dev" }).get("a");
  await using folder = await makeFolder({ "model.ts": CONFIGURED, "config.yaml": CONFIG_FILE });
  const path = join(folder.path, "saved");
  await saveModel(path, { model: join(folder.path, "model.ts"), modelConfig: LOGGED });
  using _environment = withVariable(/ with (\w+)=(.*)$/.exec(call));
  const model = await load(path, typeof input === "string" ? join(folder.path, input) : input);
  const answer = await predict(model, { messages: [{ role: "user", content: "x" }] });
  return at(answer, "choices", 0, "message", "content");
}

/** Loads with what no types vouch for. */
async function load(path: string, modelConfig: unknown): Promise<LoadedChatModel> {
  return await Reflect.apply(loadModel, undefined, [path, modelConfig === null ? {} : { modelConfig }]);
}

/** Sets the variable that a vector names, for as long as it runs. */
function withVariable(match: RegExpExecArray | null): Disposable {
  const [, name, value] = match ?? [];
  if (name === undefined || value === undefined) return { [Symbol.dispose]: () => {} };
  Deno.env.set(name, value);
  return { [Symbol.dispose]: () => Deno.env.delete(name) };
}

/** Value of a key, and all values: MLflow's model writes them as Python does. */
function readConfig(value: unknown): unknown {
  const [own, all] = String(value).split("|");
  return all === undefined ? own : { a: own, all: JSON.parse(all.replaceAll("'", '"')) };
}
