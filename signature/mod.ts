/**
 * MLflow's signatures: what a model takes and gives.
 *
 * @module
 */
export { checkInput, type EnforcedParams, enforceParams } from "./enforce.ts";
export { inferColumns, inferSignature } from "./infer.ts";
export { pythonJson, pythonJsonLines } from "./python_json.ts";
export { type ReadSignature, readSignature } from "./read.ts";
export {
  CHAT_MODEL_SIGNATURE,
  type ColumnSpec,
  type ModelSignature,
  type ParamSpec,
  type ScalarType,
  type SchemaType,
} from "./schema.ts";
