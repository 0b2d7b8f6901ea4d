/** Errors of models that are loaded when they are first asked for. */
import { join } from "@std/path";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { ChatModel, type ModelContext } from "../../../mod.ts";
import { loadModel, saveModel } from "../../../models/mod.ts";
import { authorFolder } from "../../models/_models.ts";
import { ROOT } from "../../support/command.ts";
import type { Scenario } from "./_scenario.ts";
import { serve, type Served, serveOllamaAt } from "./_served.ts";

/** Answers neither way. */
class Mute extends ChatModel {}

/** Loads with something that is not as it should be. */
class Loading extends ChatModel {
  readonly #load: (context: ModelContext) => unknown;

  constructor(load: (context: ModelContext) => unknown) {
    super();
    this.#load = load;
  }

  override loadContext(context: ModelContext): void {
    this.#load(context);
  }

  override predict(): string {
    return "Never";
  }
}

const loading = (load: (context: ModelContext) => unknown) => (): Promise<Served> =>
  serve({ loading: new Loading(load) });

/** A server whose directory loads a model from a path. */
const fromPath = (path: string, kind: "chat" | "any" = "any"): Promise<Served> =>
  serve({ list: () => [], find: () => loadModel(path, { kind }) });

/** A saved model, a file of which is changed, and a server that loads it late. */
const changed = (file: string, change: (text: string) => string, model = "model.ts") => async (): Promise<Served> => {
  const author = await authorFolder();
  const path = join(author.path, "saved");
  await saveModel(path, { model: join(author.path, model) });
  const text = await Deno.readTextFile(join(path, file));
  const other = change(text);
  if (other === text) throw new Error(`Nothing was changed in ${file}`);
  await Deno.writeTextFile(join(path, file), other);
  const served = await fromPath(path);
  return {
    port: served.port,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await author[Symbol.asyncDispose]();
    },
  };
};

/** By code, and by what leads to it. */
export const LOADING_SCENARIOS: readonly Scenario[] = [
  { code: "invalid_model", when: "the model answers neither way", start: () => serve({ mute: Mute }), chat: {} },
  {
    code: "invalid_option",
    when: "the model loads another with a wrong option",
    start: loading(() => new DemoChatModel({ delay: -1 })),
    chat: {},
  },
  {
    code: "invalid_host",
    when: "the address of Ollama is none",
    start: () => serveOllamaAt("ftp://example.com"),
    chat: {},
  },
  {
    code: "invalid_model_config",
    when: "the model's configuration holds what JSON cannot",
    start: changed("MLmodel", (text) => text.replace("code: code\n", "code: code\n    config: { limit: .nan }\n")),
    chat: {},
  },
  {
    code: "invalid_mlmodel",
    when: "the model's MLmodel cannot be read",
    start: changed("MLmodel", (text) => text.replace("kind: chat", "kind: other")),
    chat: {},
  },
  { code: "invalid_mlmodel", when: "there is no MLmodel", start: () => fromPath(join(ROOT, "docs")), chat: {} },
  {
    code: "invalid_permissions",
    when: "the model's permissions are written wrong",
    start: changed("MLmodel", (text) => text.replace("env: true", "env: 1")),
    chat: {},
  },
  {
    code: "invalid_signature",
    when: "the model's signature cannot be read",
    start: changed(
      "MLmodel",
      (text) => `${text}signature: { inputs: "[", outputs: null, params: null }\n`,
      "custom.ts",
    ),
    chat: {},
  },
  {
    code: "model_changed",
    when: "the model's code is not what was saved",
    start: changed("src/model.ts", (text) => text.replace("Model is broken", "Model is better")),
    chat: {},
  },
  {
    code: "python_model",
    when: "the model is Python's",
    start: () => fromPath(join(ROOT, "tests/testdata/mlflow/models/config_dict_artifacts")),
    chat: {},
  },
  {
    code: "wrong_model_kind",
    when: "a custom model is loaded to chat",
    start: () => fromPath(join(ROOT, "tests/serving/errors/_custom_model.ts"), "chat"),
    chat: {},
  },
  {
    code: "invalid_model_file",
    when: "the model's file gives none",
    start: () => fromPath(join(ROOT, "tests/serving/errors/_served.ts")),
    chat: {},
  },
];
