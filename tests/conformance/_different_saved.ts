/** Where we differ from MLflow: what it did, and what we do. */
import type { Differences } from "./_case.ts";

export const SAVE_DIFFERENT: Differences = {};
export const LOADED_DIFFERENT: Differences = {};
