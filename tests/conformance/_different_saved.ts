/** Where we differ from MLflow: what it did, and what we do. */
import type { Differences } from "./_case.ts";

const DEFAULT_EXAMPLE = {
  messages: [{ role: "user", content: "Hello!" }],
  temperature: 1,
  max_tokens: 10,
  stop: ["\n"],
  n: 1,
  stream: false,
};

/** A saved folder whose author gave nothing but the model. */
const SAVED = {
  example: DEFAULT_EXAMPLE,
  serving: DEFAULT_EXAMPLE,
  saved_input_example_info: {
    artifact_path: "input_example.json",
    serving_input_path: "serving_input_example.json",
    type: "json_object",
  },
  metadata: { task: "agent/v1/chat" },
  streamable: true,
};

/** A saved folder with this example. */
function withExample(example: { readonly [name: string]: unknown }): unknown {
  return { ...SAVED, example, serving: example };
}

const MESSAGES = { messages: [{ role: "user", content: "x" }] };

export const SAVE_DIFFERENT: Differences = {
  "save: example []": {
    reason: "example",
    mlflow: { accepted: SAVED },
    ours: { refused: "messages" },
  },
  "save: example {}": {
    reason: "example",
    mlflow: { accepted: SAVED },
    ours: { refused: "messages" },
  },
  "save: example dict + params": {
    reason: "unknown",
    mlflow: { accepted: withExample({ ...MESSAGES, temperature: 0.5 }) },
    ours: { accepted: withExample({ ...MESSAGES, temperature: 0.5, zzz: 1 }) },
  },
  "save: metadata given": {
    reason: "metadata",
    mlflow: { accepted: { ...SAVED, metadata: { owner: "me" } } },
    ours: { accepted: { ...SAVED, metadata: { owner: "me", task: "agent/v1/chat" } } },
  },
  "save: streamable False": {
    reason: "derived",
    mlflow: { accepted: { ...SAVED, streamable: false } },
    ours: { refused: "streamable" },
  },
  "save: instance": {
    reason: "code",
    mlflow: { accepted: SAVED },
    ours: { refused: /^Cannot save model: a model is saved as code/ },
  },
  "save: returns dict": {
    reason: "answers",
    mlflow: { refused: /Failed to save ChatModel/ },
    ours: { accepted: SAVED },
  },
  "save: async predict": {
    reason: "answers",
    mlflow: { refused: /Failed to save ChatModel/ },
    ours: { accepted: SAVED },
  },
  "save: predict(ctx, messages, params)": {
    reason: "arguments",
    mlflow: { refused: "params" },
    ours: { accepted: SAVED },
  },
  "save: predict(messages)": {
    reason: "arguments",
    mlflow: { refused: /takes 2 positional arguments but 3 were given/ },
    ours: { accepted: SAVED },
  },
  "save: no set_model (after an earlier set_model in process)": {
    reason: "set_model",
    mlflow: { refused: /^lc$/ },
    ours: { refused: /it has no model/ },
  },
  "save: model_config int keys": {
    reason: "keys",
    mlflow: { refused: /with string keys/ },
    ours: { accepted: { ...SAVED, config: { "1": "a" } } },
  },
  "save: ModelConfig(development_config) without model_config": {
    reason: "config_argument",
    mlflow: { refused: /Config file is not provided/ },
    ours: { accepted: SAVED },
  },
};

export const LOADED_DIFFERENT: Differences = {
  "load: override on model without config": {
    reason: "config",
    mlflow: { accepted: "ok" },
    ours: { refused: "a" },
  },
  get_raw_model: {
    reason: "code",
    mlflow: { accepted: "Vec" },
    ours: { refused: /not handed out/ },
  },
};
