import { join } from "@std/path";
import { parse } from "@std/yaml";
import { loadChatModel } from "../loaded_chat_model.ts";
import { ModelConfig } from "../model_config.ts";
import { parseChatRequest } from "../types/mod.ts";
import { importModelFile } from "./model_file.ts";
import type { StdioModel } from "./_stdio_model.ts";

export async function loadStdioModel(
  folder: string,
  modelConfig: { readonly [name: string]: unknown },
): Promise<StdioModel> {
  const text = await Deno.readTextFile(join(folder, "MLmodel"));
  const conf = parse(text) as { flavors: { deno_function: { model_path: string } } };
  void modelConfig;
  const model = await loadChatModel(await importModelFile(join(folder, conf.flavors.deno_function.model_path)), {
    modelConfig: new ModelConfig(),
  });
  return {
    kind: "chat",
    streamable: true,
    predict: (input, { signal }) => model.predict(parseChatRequest(input), { signal }),
    predictStream: (input, { signal }) => model.predictStream(parseChatRequest(input), { signal }),
  };
}
