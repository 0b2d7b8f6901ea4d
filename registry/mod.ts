/**
 * Registered models, their versions and aliases, in the same places as tracking.
 *
 * @module
 */
export type { ModelStage, ModelVersion, RegisteredModel } from "./entities.ts";
export type { CreateModelVersionOptions, ModelRegistry, SearchRegistryOptions } from "./model_registry.ts";
