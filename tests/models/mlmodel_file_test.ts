import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import type { JsonValue } from "../../model_config.ts";
import { type DenoFlavor, formatMlmodel, type MlmodelFile, parseMlmodel } from "../../models/mlmodel_file.ts";
import { CHAT_MODEL_SIGNATURE } from "../../signature/mod.ts";
import { ChatModelError } from "../../types/mod.ts";

const MODELS = new URL("../testdata/mlflow/models/", import.meta.url);

function recorded(name: string): MlmodelFile {
  return parseMlmodel(Deno.readTextFileSync(new URL(`${name}/MLmodel`, MODELS)), name);
}

const CHAT_MODELS = [
  "config_dict_artifacts",
  "config_yaml",
  "echo",
  "pickled_instance",
  "stream",
  "v1_chat_only",
  "v2_params",
];

for (const name of CHAT_MODELS) {
  Deno.test(`parseMlmodel() reads MLflow's own "${name}" as metadata`, () => {
    const file = recorded(name);
    assertEquals(file.deno, undefined);
    assertEquals(file.flavors, ["python_function"]);
    assertEquals(file.metadata.task, "agent/v1/chat");
    assertEquals(file.signature, CHAT_MODEL_SIGNATURE);
    assertEquals(file.mlflowVersion, "3.17.2");
    assertEquals(file.modelId, file.modelUuid);
    assertEquals(file.inputExample?.path, "input_example.json");
  });
}

Deno.test("parseMlmodel() reads configuration, artifacts and params of MLflow's own models", () => {
  assertEquals(recorded("config_yaml").config, { greeting: "hi", n: 3, nested: { a: 5 } });
  assertEquals(recorded("config_dict_artifacts").artifacts, {
    prompt: { path: "artifacts/prompt.txt", uri: "prompt.txt" },
  });
  const custom = recorded("v3_pythonmodel");
  assertEquals([custom.inputExample?.hasParams, custom.streamable], [true, false]);
  assertEquals(custom.utcTimeCreated, "2026-11-23 08:07:33.553291");
});

const DENO: DenoFlavor = {
  kind: "chat",
  modelPath: "model.ts",
  streamable: true,
  packageVersion: "0.1.0",
  denoVersion: "2.9.6",
  permissions: { net: ["127.0.0.1:11434"], env: true },
  files: [{ path: "model.ts", sha256: "1e10".padEnd(64, "0"), size: 12 }],
};

const FILE: MlmodelFile & { readonly deno: DenoFlavor } = {
  deno: DENO,
  flavors: ["deno_function", "python_function"],
  loaderModule: "deno_chat_loader",
  streamable: true,
  config: { version: "3.10", on: "yes", seconds: "12:30:45", nested: { empty: {}, list: [1, "2", null] } },
  artifacts: { "pröm: pt": { path: "artifacts/prompt.txt", uri: "file:///prompt #1.txt" } },
  metadata: { task: "agent/v1/chat", owner: "null" },
  mlflowVersion: "3.17.2",
  modelSizeBytes: 12,
  modelUuid: "12345678901234567890123456789e12",
  runId: "0e0",
  inputExample: { path: "input_example.json", servingPath: "serving_input_example.json", hasParams: true },
  signature: CHAT_MODEL_SIGNATURE,
  utcTimeCreated: "2026-11-23 08:07:26.097645",
};

Deno.test("parseMlmodel() gives back what formatMlmodel() wrote", () => {
  assertEquals(parseMlmodel(formatMlmodel(FILE), "model"), FILE);
});

Deno.test("parseMlmodel() gives back any configuration and metadata that formatMlmodel() wrote", () => {
  const values = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue().map(plain));
  fc.assert(fc.property(values, values, (config, metadata) => {
    const file = { ...FILE, config: { ...config }, metadata: { ...metadata } };
    assertEquals(parseMlmodel(formatMlmodel(file), "model"), file);
  }));
});

/** YAML keeps a negative zero, which is no matter here. */
function plain(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}

Deno.test("formatMlmodel() leaves out what there is not, and parseMlmodel() reads that", () => {
  const { config: _config, inputExample: _example, signature: _signature, runId: _run, ...least } = FILE;
  const file = { ...least, artifacts: {}, metadata: {} };
  const written = formatMlmodel(file);
  for (const key of ["config:", "artifacts:", "metadata:", "saved_input_example_info:", "signature:", "run_id:"]) {
    assert(!written.includes(`\n${key}`) && !written.includes(` ${key}`), key);
  }
  assertEquals(parseMlmodel(written, "model"), file);
});

Deno.test("formatMlmodel() writes the keys in MLflow's order", () => {
  const keysOf = (text: string) => text.split("\n").flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? []);
  const keys = keysOf(formatMlmodel({ ...FILE, artifactPath: "a", modelId: "m-1" }));
  const theirs = keysOf(Deno.readTextFileSync(new URL("echo/MLmodel", MODELS)));
  assertEquals(keys, theirs);
});

Deno.test("parseMlmodel() refuses configuration and permissions that are none", () => {
  const text = formatMlmodel(FILE);
  const wrong: readonly (readonly [string, string, string])[] = [
    ["env: true", "env: 1", "invalid_permissions"],
    ['owner: "null"', "owner: .nan", "invalid_model_config"],
    ["kind: chat", "kind: other", "invalid_mlmodel"],
    ["size: 12", "size: many", "invalid_mlmodel"],
  ];
  for (const [right, other, code] of wrong) {
    assert(text.includes(right), right);
    const error = assertThrows(() => parseMlmodel(text.replace(right, other), "model"), ChatModelError);
    assertEquals(error.code, code);
  }
});

Deno.test("formatMlmodel() quotes text that Python would take for something else", () => {
  const lines = formatMlmodel(FILE).split("\n").map((line) => line.trim());
  for (const line of ['version: "3.10"', '"on": "yes"', 'seconds: "12:30:45"', 'run_id: "0e0"', 'owner: "null"']) {
    assert(lines.includes(line), `Missing: ${line}`);
  }
});

Deno.test("parseMlmodel() refuses a later format, and says what to do", () => {
  const later = formatMlmodel(FILE).replace(/format_version: \d+/, "format_version: 999");
  const error = assertThrows(() => parseMlmodel(later, "model"), ChatModelError, "Update @chatmodel/chat-model");
  assertEquals(error.code, "invalid_mlmodel");
});

Deno.test("parseMlmodel() passes over keys that it does not know", () => {
  const file = parseMlmodel(formatMlmodel(FILE) + "later_key: {a: 1}\n", "model");
  assertEquals(file, FILE);
});

for (const text of ["", "a: [", "- 1", "flavors: 1", "flavors: {deno_function: {kind: chat}}"]) {
  Deno.test(`parseMlmodel() refuses ${JSON.stringify(text)} with the model's name`, () => {
    const error = assertThrows(() => parseMlmodel(text, "models:/m-1"), ChatModelError, "models:/m-1");
    assertEquals(error.code, "invalid_mlmodel");
  });
}
