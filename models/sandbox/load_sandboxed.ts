import type { ChatModel } from "../../chat_model.ts";
import type { CustomModel } from "../../custom_model.ts";
import { Sandbox, type SandboxModel } from "./_sandbox.ts";
import { SandboxedChatModel, SandboxedCustomModel } from "./sandboxed_model.ts";

/** A model in a sandbox. */
export interface SandboxedModel {
  /** The model. */
  readonly model: ChatModel | CustomModel;
  /** Ends its worker. */
  readonly stop: () => void;
}

/**
 * Starts a worker with a model's permissions and imports the model there.
 *
 * @param options The model's file, what it may do, and limits.
 * @returns A model that speaks with the worker.
 * @throws {ChatModelError} With code `start_failed` if Deno lacks the flag that this needs, `permission_denied` if this
 * process lacks a permission that the model declares or the model lacks one to be imported, `invalid_model_file` if the
 * file is no model.
 */
export async function importSandboxed(options: SandboxModel): Promise<SandboxedModel> {
  const sandbox = await Sandbox.start(options);
  const model = sandbox.imported.kind === "chat" ? new SandboxedChatModel(sandbox) : new SandboxedCustomModel(sandbox);
  return { model, stop: () => sandbox.stop() };
}
