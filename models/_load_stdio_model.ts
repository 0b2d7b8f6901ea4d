import { LoadedChatModel } from "../loaded_chat_model.ts";
import { ChatModelError, parseChatRequest } from "../types/mod.ts";
import { checkConfig } from "./config_layers.ts";
import { loadModel } from "./load_model.ts";
import type { StdioModel } from "./_stdio_model.ts";

/** Loads a folder that `saveModel` wrote, for a caller that speaks to it in lines. */
export async function loadStdioModel(
  folder: string,
  modelConfig: { readonly [name: string]: unknown },
): Promise<StdioModel> {
  const model = await loadModel(folder, { kind: "any", modelConfig: checkConfig(modelConfig, "model_config") });
  if (LoadedChatModel.isInstance(model)) {
    return {
      kind: "chat",
      streamable: true,
      predict: (input, { signal }) => model.predict(parseChatRequest(input), { signal }),
      predictStream: (input, { signal }) => model.predictStream(parseChatRequest(input), { signal }),
    };
  }
  return {
    kind: "custom",
    streamable: false,
    predict: (input, { signal, params }) => model.predict(input, params, { signal }),
    predictStream() {
      throw new ChatModelError(`Cannot stream "${folder}": it is a custom model, which answers in one piece`, {
        code: "unsupported_model",
      });
    },
  };
}
