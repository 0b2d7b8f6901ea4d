/**
 * What the models here know of JSON Schema beyond its shape.
 *
 * @module
 */

export { allowNull, allowNullItself } from "./nullable.ts";
export {
  LinearPattern,
  MOST_PATTERN_STATES,
  type StateBudget,
  type StepBudget,
  StepsExceededError,
} from "./pattern_matcher.ts";
export { parsePattern, type PatternNode } from "./pattern_syntax.ts";
export { Place } from "./place.ts";
export { SchemaCompiler, type SchemaCompilerOptions } from "./schema_compiler.ts";
export { type CompiledSchema, type Fault, SchemaRun } from "./schema_run.ts";
export { listSubschemas, mapSubschemas, type Subschema } from "./subschemas.ts";
