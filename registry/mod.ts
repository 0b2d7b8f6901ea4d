/**
 * Registered models, their versions and aliases, in the same places as tracking; and the URIs that name models.
 *
 * @module
 */
export type { ModelStage, ModelVersion, RegisteredModel } from "./entities.ts";
export type { CreateModelVersionOptions, ModelRegistry, SearchRegistryOptions } from "./model_registry.ts";
export { type ModelUri, parseModelUri } from "./model_uri.ts";
export { openModelRegistry } from "./open_registry.ts";
export { registerModel, type RegisterModelOptions } from "./register_model.ts";
export { type ResolvedModel, resolveModelUri, type ResolveOptions } from "./resolve.ts";
