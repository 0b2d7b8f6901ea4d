import type { JsonSchema } from "../../types/mod.ts";
import { makeAllRule, makeAnyRule, makeDependentRule, makeIfRule, makeNotRule, makeOneRule } from "./branch_rules.ts";
import {
  makeContainsRule,
  makeItemsRule,
  makeNamesRule,
  makePropertiesRule,
  makeUnevaluatedItemsRule,
  makeUnevaluatedPropertiesRule,
  refuse,
} from "./member_rules.ts";
import type { LinearPattern } from "./pattern_matcher.ts";
import type { CompiledSchema, SchemaRule } from "./schema_run.ts";
import { makeValueRule } from "./value_rules.ts";

/** What a compiler must be told. */
export interface SchemaCompilerOptions {
  /** Gives the schema that a schema's `$ref` leads to. */
  readonly resolve: (schema: JsonSchema) => unknown;
  /** Gives the pattern of a source. */
  readonly readPattern: (source: string) => LinearPattern;
  /** Whether names and indexes must be noted, as some schema has `unevaluatedProperties` or `unevaluatedItems`. */
  readonly tracks: boolean;
  /** Whether what stands beside `$ref` counts for nothing, as up to draft 7. */
  readonly refIsAlone: boolean;
}

/** Keywords by which a value comes to further schemas as it is. */
const COMPOSING = ["$ref", "allOf", "anyOf", "oneOf", "not", "if"];

/**
 * Makes rules of schemas: those of JSON Schema from draft 4 to 2020-12, without dynamic references. The schemas must
 * be free of faults.
 */
export class SchemaCompiler {
  readonly #options: SchemaCompilerOptions;
  readonly #compiled = new Map<JsonSchema, CompiledSchema>();
  readonly #holds: CompiledSchema;
  readonly #refuses: CompiledSchema;

  /**
   * Makes a compiler.
   *
   * @param options What it must be told.
   */
  constructor(options: SchemaCompilerOptions) {
    this.#options = options;
    this.#holds = { rules: [], isComposed: false, tracks: false };
    this.#refuses = { rules: [refuse], isComposed: false, tracks: false };
  }

  /**
   * Makes rules of a schema.
   *
   * @param schema The schema.
   * @returns The rules; the same for the same schema.
   */
  compile(schema: unknown): CompiledSchema {
    if (!isRecord(schema)) return schema === false ? this.#refuses : this.#holds;
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    const rules: SchemaRule[] = [];
    const isComposed = COMPOSING.some((keyword) => schema[keyword] !== undefined);
    const compiled: CompiledSchema = { rules, isComposed, tracks: this.#options.tracks };
    // Known before its rules are: it may lead back to itself.
    this.#compiled.set(schema, compiled);
    for (const rule of this.#makeRules(schema)) rules.push(rule);
    return compiled;
  }

  *#makeRules(schema: JsonSchema): Generator<SchemaRule> {
    const { readPattern, resolve, refIsAlone } = this.#options;
    if (typeof schema.$ref === "string") {
      yield makeAllRule([this.compile(resolve(schema))]);
      if (refIsAlone) return;
    }
    // What is cheap comes first: it spares the rest if it is broken.
    for (const keyword of Object.keys(schema)) {
      const rule = makeValueRule(keyword, schema);
      if (rule !== undefined && keyword !== "format") yield rule;
    }
    if (typeof schema.pattern === "string") {
      const pattern = readPattern(schema.pattern);
      yield (place, { run }) =>
        typeof place.value !== "string" || pattern.matches(place.value, run.patternBudget)
          ? undefined
          : [{ place, keyword: "pattern" }];
    }
    const formatRule = makeValueRule("format", schema);
    if (formatRule !== undefined) yield formatRule;
    yield* this.#makeObjectRules(schema);
    yield* this.#makeArrayRules(schema);
    yield* this.#makeBranchRules(schema);
    // After all that may speak of properties or items.
    const { unevaluatedItems, unevaluatedProperties } = schema;
    if (unevaluatedItems !== undefined) yield makeUnevaluatedItemsRule(this.compile(unevaluatedItems));
    if (unevaluatedProperties !== undefined) yield makeUnevaluatedPropertiesRule(this.compile(unevaluatedProperties));
  }

  *#makeObjectRules(schema: JsonSchema): Generator<SchemaRule> {
    const { properties, patternProperties, additionalProperties: additional, propertyNames } = schema;
    if (propertyNames !== undefined) yield makeNamesRule(this.compile(propertyNames));
    if (properties === undefined && patternProperties === undefined && additional === undefined) return;
    yield makePropertiesRule({
      properties: this.#compileMap(properties),
      patterned: [...this.#compileMap(patternProperties)].map(
        ([source, inner]) => [this.#options.readPattern(source), inner] as const,
      ),
      additional: additional === undefined ? undefined : this.compile(additional),
    });
  }

  *#makeArrayRules(schema: JsonSchema): Generator<SchemaRule> {
    const { prefixItems, items, additionalItems, contains, minContains, maxContains } = schema;
    // Before 2020-12 a list of schemas stood under `items`, and the schema of all others under `additionalItems`.
    const isOldList = prefixItems === undefined && Array.isArray(items);
    const first = prefixItems ?? (isOldList ? items : []);
    const rest = Array.isArray(items) ? additionalItems : items;
    if (prefixItems !== undefined || items !== undefined) {
      yield makeItemsRule({
        first: this.#compileList(first),
        firstKeyword: isOldList ? "items" : "prefixItems",
        rest: rest === undefined ? undefined : this.compile(rest),
        restKeyword: Array.isArray(items) ? "additionalItems" : "items",
      });
    }
    if (contains === undefined) return;
    const least = typeof minContains === "number" ? minContains : 1;
    const most = typeof maxContains === "number" ? maxContains : Infinity;
    yield makeContainsRule(this.compile(contains), { least, most });
  }

  *#makeBranchRules(schema: JsonSchema): Generator<SchemaRule> {
    const { allOf, anyOf, oneOf, not, if: condition, then, else: otherwise } = schema;
    if (allOf !== undefined) yield makeAllRule(this.#compileList(allOf));
    if (anyOf !== undefined) yield makeAnyRule(this.#compileList(anyOf));
    if (oneOf !== undefined) yield makeOneRule(this.#compileList(oneOf));
    if (not !== undefined) yield makeNotRule(this.compile(not));
    if (condition !== undefined) {
      yield makeIfRule(this.compile(condition), {
        then: then === undefined ? undefined : this.compile(then),
        else: otherwise === undefined ? undefined : this.compile(otherwise),
      });
    }
    for (const keyword of ["dependentSchemas", "dependentRequired", "dependencies"]) {
      const dependents = schema[keyword];
      if (!isRecord(dependents)) continue;
      const entries = Object.entries(dependents);
      yield makeDependentRule(
        keyword,
        new Map(entries.map(([name, value]) => [name, Array.isArray(value) ? value : this.compile(value)])),
      );
    }
  }

  #compileMap(schemas: unknown): Map<string, CompiledSchema> {
    const entries = isRecord(schemas) ? Object.entries(schemas) : [];
    return new Map(entries.map(([name, schema]) => [name, this.compile(schema)]));
  }

  #compileList(schemas: unknown): CompiledSchema[] {
    return Array.isArray(schemas) ? schemas.map((schema) => this.compile(schema)) : [];
  }
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
