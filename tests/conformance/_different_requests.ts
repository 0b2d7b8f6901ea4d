/** Where we differ from MLflow: what it did, and what we do. */
import type { Differences } from "./_case.ts";

export const TOOLS_DIFFERENT: Differences = {
  "paramproperty: int enum": {
    reason: "schema",
    mlflow: { refused: "enum" },
    ours: { accepted: { type: "integer", enum: [1, 2] } },
  },
  "paramtype: None": {
    reason: "nulls",
    mlflow: { refused: "type" },
    ours: { accepted: {} },
  },
  "paramtype: list of types": {
    reason: "schema",
    mlflow: { refused: "type" },
    ours: { accepted: { type: ["string", "null"] } },
  },
  "paramproperty: items with properties (dropped)": {
    reason: "schema",
    mlflow: { accepted: { type: "array", items: { type: "object" } } },
    ours: { accepted: { type: "array", items: { type: "object", properties: { a: { type: "string" } } } } },
  },
  "paramproperty.from_dict: format/default/anyOf dropped": {
    reason: "schema",
    mlflow: { accepted: { type: "string" } },
    // An empty anyOf is no JSON Schema.
    ours: { refused: "anyOf" },
  },
  "toolparams: properties missing": {
    reason: "schema",
    mlflow: { refused: "properties" },
    ours: { accepted: {} },
  },
  "toolparams: property lacks type": {
    reason: "schema",
    mlflow: { refused: "type" },
    ours: { accepted: { properties: { a: { description: "d" } } } },
  },
  "toolparams: additionalProperties schema": {
    reason: "schema",
    mlflow: { refused: "additionalProperties" },
    ours: { accepted: { properties: {}, additionalProperties: { type: "string" } } },
  },
  "funcdef: strict None": {
    reason: "nulls",
    mlflow: { refused: "strict" },
    ours: { accepted: { name: "f" } },
  },
};

export const PARAMS_DIFFERENT: Differences = {
  "params: defaults (vars)": {
    reason: "unset",
    mlflow: { accepted: { temperature: 1, n: 1, stream: false } },
    ours: { accepted: {} },
  },
  "params: to_dict of defaults": {
    reason: "unset",
    mlflow: { accepted: { temperature: 1, n: 1, stream: false } },
    ours: { accepted: {} },
  },
  "params: temperature int": {
    reason: "numbers",
    mlflow: { refused: "temperature" },
    ours: { accepted: { temperature: 1 } },
  },
  "params: stop str": {
    reason: "shapes",
    mlflow: { refused: "stop" },
    ours: { accepted: { stop: "x" } },
  },
  "params: n True": {
    reason: "booleans",
    mlflow: { accepted: { n: true } },
    ours: { refused: "n" },
  },
  "params: custom_inputs int key": {
    reason: "keys",
    mlflow: { refused: "custom_inputs" },
    ours: { accepted: { custom_inputs: { "1": "a" } } },
  },
  "params: temperature=None": {
    reason: "nulls",
    mlflow: { refused: "temperature" },
    ours: { accepted: {} },
  },
  "params: temperature=-3.5": {
    reason: "ranges",
    mlflow: { accepted: { temperature: -3.5 } },
    ours: { refused: "temperature" },
  },
  "params: temperature=nan": {
    reason: "ranges",
    mlflow: { accepted: { temperature: NaN } },
    ours: { refused: "temperature" },
  },
  "params: max_tokens=5.0": {
    reason: "numbers",
    mlflow: { refused: "max_tokens" },
    ours: { accepted: { max_tokens: 5 } },
  },
  "params: max_tokens=-1": {
    reason: "ranges",
    mlflow: { accepted: { max_tokens: -1 } },
    ours: { refused: "max_tokens" },
  },
  "params: max_tokens=True": {
    reason: "booleans",
    mlflow: { accepted: { max_tokens: true } },
    ours: { refused: "max_tokens" },
  },
  "params: n=0": {
    reason: "ranges",
    mlflow: { accepted: { n: 0 } },
    ours: { refused: "n" },
  },
  "params: n=1.0": {
    reason: "numbers",
    mlflow: { refused: "n" },
    ours: { accepted: { n: 1 } },
  },
  "params: stream=None": {
    reason: "nulls",
    mlflow: { refused: "stream" },
    ours: { accepted: {} },
  },
  "params: top_p=1": {
    reason: "numbers",
    mlflow: { refused: "top_p" },
    ours: { accepted: { top_p: 1 } },
  },
  "params: top_k=3.0": {
    reason: "numbers",
    mlflow: { refused: "top_k" },
    ours: { accepted: { top_k: 3 } },
  },
  "params: frequency_penalty=1": {
    reason: "numbers",
    mlflow: { refused: "frequency_penalty" },
    ours: { accepted: { frequency_penalty: 1 } },
  },
  "params: frequency_penalty=99.0": {
    reason: "ranges",
    mlflow: { accepted: { frequency_penalty: 99 } },
    ours: { refused: "frequency_penalty" },
  },
  "params: model='gpt'": {
    reason: "unknown",
    mlflow: { refused: "model" },
    ours: { accepted: { extra: { model: "gpt" } } },
  },
  "params: seed=1": {
    reason: "unknown",
    mlflow: { refused: "seed" },
    ours: { accepted: { seed: 1 } },
  },
  "params.from_dict: unknown dropped": {
    reason: "unknown",
    mlflow: { accepted: { max_tokens: 3 } },
    ours: { accepted: { max_tokens: 3, seed: 1, tool_choice: "auto", extra: { model: "m" } } },
  },
};

export const REQUESTS_DIFFERENT: Differences = {
  "request: default": {
    reason: "empty",
    mlflow: { accepted: { temperature: 1, n: 1, stream: false, messages: [] } },
    ours: { refused: "messages" },
  },
  "request: mixed": {
    reason: "classes",
    mlflow: { refused: "messages" },
    ours: { accepted: { messages: [{ role: "user", content: "x" }, { role: "user", content: "x" }] } },
  },
  "request: model kw": {
    reason: "unknown",
    mlflow: { refused: "model" },
    ours: { accepted: { messages: [{ role: "user", content: "x" }], model: "gpt" } },
  },
};
