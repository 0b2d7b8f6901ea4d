/**
 * Logged models: folders that hold a model's code, signature, example and configuration, in MLflow's format.
 *
 * @module
 */
export {};
