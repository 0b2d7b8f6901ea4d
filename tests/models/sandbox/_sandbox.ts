/** Models in sandboxes, for tests. */

import type { ChatCompletionRequest, LoadedChatModel } from "@chatmodel/chat-model";
import { loadModel, type LoadModelOptions, type SandboxOptions } from "@chatmodel/chat-model/models";
import { join } from "@std/path";
import { makeFolder } from "../_folder.ts";

/** A loaded model whose sandbox ends when it is disposed of. */
export interface TestSandbox extends AsyncDisposable {
  /** The model. */
  readonly model: LoadedChatModel;
  /** Its folder. */
  readonly folder: string;
  /** Asks the model, without streaming, and gives the text of its answer. */
  ask(text: string): Promise<string>;
}

/** A chat request of one message. */
export function request(content: string): ChatCompletionRequest {
  return { messages: [{ role: "user", content }] };
}

/**
 * Loads a file of code into a sandbox.
 *
 * @param code The file; `ChatModel` and what belongs to it is imported already.
 * @param options Options of the sandbox, and of loading.
 * @returns The model.
 */
export async function sandboxed(
  code: string,
  options: SandboxOptions & { readonly load?: LoadModelOptions } = {},
): Promise<TestSandbox> {
  const { load = {}, ...sandbox } = options;
  const author = await makeFolder({ "model.ts": HEAD + code });
  const stop = new AbortController();
  async function dispose(): Promise<void> {
    stop.abort();
    await author[Symbol.asyncDispose]();
  }
  try {
    const model = await loadModel(join(author.path, "model.ts"), {
      ...load,
      kind: "chat",
      sandbox: { ...sandbox, signal: stop.signal },
    });
    return {
      model,
      folder: author.path,
      ask: async (text) => (await model.predict(request(text))).choices[0]?.message.content ?? "",
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

const HEAD = `import {
  ChatModel, ChatModelError, type ChatMessage, type ModelContext, type PredictPart, UpstreamError, ValidationError,
} from "@chatmodel/chat-model";
const lastText = (messages: readonly ChatMessage[]): string => String(messages.at(-1)?.content);
`;
