import { getModelInfo, type ModelInfo } from "../models/mod.ts";
import type { Command } from "./command.ts";
import { print, printJson } from "./_output.ts";
import { withStores } from "./_stores.ts";

/** `models show`. */
export const modelsShow: Command = {
  words: ["models", "show"],
  summary: "Show a logged model: signature, example, configuration, permissions, versions",
  positionals: ["MODEL_URI"],
  flags: {},
  async run(input) {
    const [uri = ""] = input.positionals;
    const info = await withStores(input, () => getModelInfo(uri));
    if (input.json) return printJson(infoObject(info));
    print([
      ...fact("Model", info.modelUri),
      ...fact("Name", info.name),
      ...fact("Kind", info.kind),
      ...fact("Code", info.modelPath),
      ...fact("Model id", info.modelId),
      ...fact("Run", info.runId),
      ...fact("Created", info.utcTimeCreated),
      ...fact("Size", info.modelSizeBytes === undefined ? undefined : `${info.modelSizeBytes} bytes`),
      ...fact("MLflow", info.mlflowVersion),
      ...fact("Deno", info.denoVersion),
      ...fact("Permissions", json(info.permissions)),
      ...fact("Metadata", json(info.metadata)),
      ...fact("Config", json(info.modelConfig)),
      ...fact("Artifacts", info.artifacts && Object.keys(info.artifacts).join(", ")),
      ...fact("Inputs", info.signature?.inputs ?? undefined),
      ...fact("Outputs", info.signature?.outputs ?? undefined),
      ...fact("Params", info.signature?.params ?? undefined),
    ].join("\n"));
  },
};

function fact(name: string, value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [`${name.padEnd(12)} ${value}`];
}

function json(value: object | undefined): string | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : JSON.stringify(value);
}

function infoObject(info: ModelInfo): object {
  return {
    model_uri: info.modelUri,
    name: info.name,
    kind: info.kind,
    model_path: info.modelPath,
    model_id: info.modelId,
    run_id: info.runId,
    utc_time_created: info.utcTimeCreated,
    model_size_bytes: info.modelSizeBytes,
    mlflow_version: info.mlflowVersion,
    deno_version: info.denoVersion,
    permissions: info.permissions,
    metadata: info.metadata,
    model_config: info.modelConfig,
    artifacts: info.artifacts,
    signature: info.signature,
  };
}
