import { format, type OutputUnit, type Schema, validate } from "@cfworker/json-schema";
import type { JsonSchema } from "../../types/mod.ts";
import { allowNull, type LinearPattern, type StepBudget, StepsExceededError } from "../json_schema/mod.ts";
import { inlineReferences } from "./_json_schema.ts";
import { isRecord } from "./_request_issues.ts";
import { checkSchema, lookUpSchemas, reachSchemas, readPattern, type SchemaLookup } from "./schema_check.ts";

/** Steps that all patterns together may take in the check of one value: less than a second. */
const MOST_STEPS = 10_000_000;
/** Most places that a fault names. */
const MOST_PLACES = 5;
/** Keywords that only say that something further inside is wrong. */
const OUTER_KEYWORDS = new Set(["properties", "patternProperties", "items", "prefixItems", "allOf", "$ref", "false"]);
/** Beginning of the names of formats that stand for patterns. */
const PATTERN_FORMAT = "chat-model pattern ";

/** Keywords whose value may be null. */
const NULL_KEYWORDS = new Set(["const", "default"]);

type TextCheck = (text: string, budget: StepBudget) => boolean;

/** A schema in which some properties are chosen by pattern. */
interface PatternedSchema {
  readonly schema: JsonSchema;
  readonly properties: JsonSchema;
  readonly patterned: readonly (readonly [pattern: LinearPattern, schema: unknown])[];
}

/**
 * Checks values against a JSON Schema, its patterns in linear time.
 *
 * The checking is the package's, but for regular expressions, which it would hand to `RegExp`: a pattern becomes a
 * format, which is a function to it, and a property chosen by pattern becomes one of the value's own names.
 */
export class SchemaValidator {
  readonly #schema: Schema;
  readonly #lookup: SchemaLookup;
  readonly #draft: "4" | "7" | "2019-09" | "2020-12";
  readonly #textChecks = new Map<string, TextCheck>();
  readonly #patternedSchemas: PatternedSchema[] = [];
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
    // A copy, since the validator writes into what it is given.
    const asWritten: Schema = copyOf(schema);
    checkSchema(asWritten);
    this.#schema = copyOf(allowNull(schema));
    this.#lookup = lookUpSchemas(this.#schema);
    this.#draft = schema.$schema === undefined ? "2020-12" : draftOf(schema.$schema);
    for (const { schema } of reachSchemas(this.#schema, this.#lookup)) this.#prepare(schema);
  }

  /**
   * Finds what is wrong with a value.
   *
   * @param value A JSON value.
   * @returns What is wrong, without the value's own words, as the end of a sentence; `undefined` if nothing is.
   */
  findFault(value: unknown): string | undefined {
    const budget: StepBudget = { left: MOST_STEPS };
    try {
      for (const patterned of this.#patternedSchemas) nameProperties(patterned, propertyNames(value), budget);
      // Formats are the package's for all; there is no other code to run until they are gone again.
      for (const [name, check] of this.#textChecks) format[name] = (text) => check(text, budget);
      const { errors } = validate(value, this.#schema, this.#draft, this.#lookup);
      return errors.length > 0 ? this.#describe(errors) : undefined;
    } catch (error) {
      if (error instanceof StepsExceededError) return "it is too long to be checked against the schema's patterns";
      if (error instanceof RangeError) return "it is nested too deep to be checked";
      throw error;
    } finally {
      for (const name of this.#textChecks.keys()) delete format[name];
    }
  }

  #prepare(schema: JsonSchema): void {
    for (const name of Object.keys(isRecord(schema.properties) ? schema.properties : {})) this.#names.add(name);
    for (const [keyword, value] of Object.entries(schema)) {
      if (value === null && !NULL_KEYWORDS.has(keyword)) Reflect.deleteProperty(schema, keyword);
    }
    if (typeof schema.required === "boolean") Reflect.deleteProperty(schema, "required");
    const { pattern, patternProperties } = schema;
    // The package's own check of URLs, which JSON Schema does not know, takes exponential time.
    if (schema.format === "url") this.#checkText(schema, (text) => URL.canParse(text));
    if (typeof pattern === "string") {
      const linear = readPattern(pattern);
      Reflect.deleteProperty(schema, "pattern");
      this.#checkText(schema, (text, budget) => linear.matches(text, budget));
    }
    if (!isRecord(patternProperties)) return;
    Reflect.deleteProperty(schema, "patternProperties");
    this.#patternedSchemas.push({
      schema,
      properties: isRecord(schema.properties) ? schema.properties : {},
      patterned: Object.entries(patternProperties).map(([source, inner]) => [readPattern(source), inner]),
    });
  }

  #checkText(schema: JsonSchema, check: TextCheck): void {
    const name = `${PATTERN_FORMAT}${this.#textChecks.size}`;
    this.#textChecks.set(name, check);
    if (schema.format === undefined || schema.format === "url") Reflect.set(schema, "format", name);
    else Reflect.set(schema, "allOf", [...Array.isArray(schema.allOf) ? schema.allOf : [], { format: name }]);
  }

  /** Names the places that are wrong. Names of properties that the schema does not have are the model's words: left out. */
  #describe(errors: readonly OutputUnit[]): string {
    const places = new Set<string>();
    for (const { instanceLocation, keyword, error } of errors) {
      if (OUTER_KEYWORDS.has(keyword)) continue;
      const segments = instanceLocation.split("/").slice(1)
        .map((segment) => decodePointerSegment(segment))
        .map((segment) => this.#names.has(segment) || /^\d+$/.test(segment) ? segment : "*");
      const told = error.includes(PATTERN_FORMAT) ? "pattern" : keyword;
      places.add(`"${segments.join(".")}" is wrong by "${told}"`);
    }
    return places.size === 0 ? "it breaks the schema" : [...places].slice(0, MOST_PLACES).join(", ");
  }
}

function copyOf(schema: JsonSchema): Schema {
  return JSON.parse(JSON.stringify(schema));
}

/** Writes the properties that a value has, and whose names a pattern chooses, among those that have names. */
function nameProperties(patternedSchema: PatternedSchema, names: ReadonlySet<string>, budget: StepBudget): void {
  const { schema, properties, patterned } = patternedSchema;
  const named = new Map(Object.entries(properties));
  for (const name of names) {
    const chosen = patterned.filter(([pattern]) => pattern.matches(name, budget)).map(([, inner]) => inner);
    if (chosen.length > 0) named.set(name, { allOf: named.has(name) ? [named.get(name), ...chosen] : chosen });
  }
  Reflect.set(schema, "properties", Object.fromEntries(named));
}

/** All names of properties anywhere in a value. */
function propertyNames(root: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const values: unknown[] = [root];
  for (const value of values) {
    if (typeof value !== "object" || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) names.add(name);
      values.push(inner);
    }
  }
  return names;
}

function decodePointerSegment(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return segment; // A lone "%" in a property's name: never mind, it is only compared.
  }
}

function draftOf(uri: unknown): "4" | "7" | "2019-09" | "2020-12" {
  const text = String(uri);
  if (text.includes("draft-04")) return "4";
  if (text.includes("draft-06") || text.includes("draft-07")) return "7";
  return text.includes("2019-09") ? "2019-09" : "2020-12";
}
