import { ChatModel, loadChatModel, ModelConfig, type ModelConfigLayer, type ModelContext } from "../../mod.ts";
import type { Group } from "./_case.ts";
import { CONFIG_DIFFERENT } from "./_different_config.ts";
import { at, predict } from "./_run.ts";
import type { Vector } from "./_vectors.ts";

/** Answers with its configuration, as the recorded model does. */
class Configured extends ChatModel {
  override predict({ modelConfig }: ModelContext): string {
    return `${modelConfig.get("a")}|${JSON.stringify(modelConfig.toObject())}`;
  }
}

const LOGGED: ModelConfigLayer = { source: "logged", values: { a: "logged", nested: { x: 1, y: 2 } } };

/** What lies above the logged configuration, by the vectors' names. */
const ABOVE: { readonly [name: string]: readonly ModelConfigLayer[] } = {
  "load: no override": [],
  "load: override existing key": [{ source: "call", values: { a: "over" } }],
  "load: override new key": [{ source: "call", values: { new: 1 } }],
  "load: override nested (shallow)": [{ source: "call", values: { nested: { x: 9 } } }],
  "load: env + arg": [{ source: "env", values: { a: "env" } }, { source: "call", values: { a: "arg" } }],
  "load: yaml path override": [{ source: "file", values: { greeting: "hi", n: 1, nested: { a: 5 } } }],
};

/** The configuration of a model. */
export const CONFIG: Group = {
  title: "ModelConfig",
  runs: "`ModelConfig.from` and `loadChatModel` with `modelConfig`",
  holds: ({ name }) => Object.hasOwn(ABOVE, name) || name === "ModelConfig direct run",
  run: runConfig,
  read: readConfig,
  different: CONFIG_DIFFERENT,
};

async function runConfig({ name }: Vector): Promise<unknown> {
  if (name === "ModelConfig direct run") return new ModelConfig({ a: "dev" }).get("a");
  const modelConfig = ModelConfig.from([LOGGED, ...ABOVE[name] ?? []]);
  const model = await loadChatModel(Configured, { modelConfig });
  const answer = await predict(model, { messages: [{ role: "user", content: "x" }] });
  return at(answer, "choices", 0, "message", "content");
}

/** Value of a key, and all values: MLflow's model writes them as Python does. */
function readConfig(value: unknown): unknown {
  const [own, all] = String(value).split("|");
  return all === undefined ? own : { a: own, all: JSON.parse(all.replaceAll("'", '"')) };
}
