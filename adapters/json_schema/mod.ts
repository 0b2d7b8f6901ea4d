/**
 * What the models here know of JSON Schema beyond its shape.
 *
 * @module
 */

export { allowNull, allowNullItself } from "./nullable.ts";
export { LinearPattern, type StepBudget, StepsExceededError } from "./pattern_matcher.ts";
export { parsePattern, type PatternNode } from "./pattern_syntax.ts";
export { listSubschemas, mapSubschemas, type Subschema } from "./subschemas.ts";
