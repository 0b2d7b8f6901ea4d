import type { Schema } from "@cfworker/json-schema";
import type { JsonSchema } from "../../types/mod.ts";
import {
  allowNull,
  type CompiledSchema,
  type Fault,
  Place,
  SchemaCompiler,
  SchemaRun,
  type StepBudget,
  StepsExceededError,
} from "../json_schema/mod.ts";
import { inlineReferences } from "./_json_schema.ts";
import { isRecord } from "./_request_issues.ts";
import { SchemaPatterns } from "./_schema_patterns.ts";
import { checkSchema, lookUpSchemas, reachSchemas, targetOf } from "./schema_check.ts";

/** Steps that the check of one value may take, patterns aside. */
const MOST_STEPS = 1_000_000;
/** Steps that all patterns together may take in the check of one value: less than a second. */
const MOST_PATTERN_STEPS = 10_000_000;
/** Keywords whose value may be null. */
const NULL_KEYWORDS = new Set(["const", "default"]);

/** Checks values against a JSON Schema, in bounded time. */
export class SchemaValidator {
  readonly #schema: CompiledSchema;
  /** Names of properties that the schema has. */
  readonly #names = new Set<string>();

  /**
   * Takes a schema.
   *
   * @param schema The schema; it is not changed. `nullable` is read as OpenAPI means it.
   * @throws {SchemaError} If it cannot be worked with. The message says how, the path says where.
   */
  constructor(schema: JsonSchema) {
    inlineReferences(schema);
    const patterns = new SchemaPatterns();
    // A copy, since references are resolved by marks in what is given.
    checkSchema(copyOf(schema), patterns);
    const root = copyOf(allowNull(schema));
    const lookup = lookUpSchemas(root);
    const reached = [...reachSchemas(root, lookup)].map(({ schema }) => schema);
    for (const schema of reached) this.#prepare(schema);
    const compiler = new SchemaCompiler({
      resolve: (schema) => targetOf(schema, lookup),
      readPattern: (source) => patterns.read(source),
      tracks: reached.some((schema) =>
        schema.unevaluatedItems !== undefined || schema.unevaluatedProperties !== undefined
      ),
      refIsAlone: /draft-0[467]/.test(String(schema.$schema)),
    });
    this.#schema = compiler.compile(root);
  }

  /**
   * Finds what is wrong with a value.
   *
   * @param value A JSON value.
   * @returns What is wrong, without the value's own words, as the end of a sentence; `undefined` if nothing is.
   */
  findFault(value: unknown): string | undefined {
    const patternBudget: StepBudget = { left: MOST_PATTERN_STEPS };
    try {
      const run = new SchemaRun({ left: MOST_STEPS }, patternBudget);
      const { faults } = run.check(this.#schema, new Place(value));
      return faults && this.#describe(faults);
    } catch (error) {
      if (error instanceof StepsExceededError) {
        return patternBudget.left < 0
          ? "it is too long to be checked against the schema's patterns"
          : "it is too large to be checked against the schema";
      }
      if (error instanceof RangeError) return "it is nested too deep to be checked";
      throw error;
    }
  }

  #prepare(schema: JsonSchema): void {
    for (const name of Object.keys(isRecord(schema.properties) ? schema.properties : {})) this.#names.add(name);
    for (const [keyword, value] of Object.entries(schema)) {
      if (value === null && !NULL_KEYWORDS.has(keyword)) Reflect.deleteProperty(schema, keyword);
    }
  }

  /** Names the places that are wrong. Names of properties that the schema does not have are the model's words: left out. */
  #describe(faults: readonly Fault[]): string {
    const places = faults.map(({ place, keyword }) => {
      const keys = place.path.map((key) => this.#names.has(key) || /^\d+$/.test(key) ? key : "*");
      return `"${keys.join(".")}" is wrong by "${keyword}"`;
    });
    return [...new Set(places)].join(", ");
  }
}

function copyOf(schema: JsonSchema): Schema {
  return JSON.parse(JSON.stringify(schema));
}
