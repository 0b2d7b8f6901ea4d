/**
 * Logged models: folders that hold a model's code, signature, example and configuration, in MLflow's format, so that
 * they load on any machine, and in MLflow's Python too.
 *
 * @module
 */
export { downloadModel, getModelInfo } from "./get_model_info.ts";
export { loadModel, type LoadModelOptions } from "./load_model.ts";
export { type LoggedModelInfo, logModel, type LogModelOptions } from "./log_model.ts";
export type { ModelFile, ModelInfo } from "./model_info.ts";
export type { ModelPermissions, Permission } from "./permissions.ts";
export type { SandboxOptions } from "./sandbox/mod.ts";
export { type SavedModelInfo, saveModel, type SaveModelOptions } from "./save_model.ts";
export { serveStdio } from "./worker.ts";
