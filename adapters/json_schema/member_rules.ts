import type { LinearPattern } from "./pattern_matcher.ts";
import type { Place } from "./place.ts";
import type { CompiledSchema, Fault, RuleScope, SchemaRule } from "./schema_run.ts";

/** Schemas for what is inside a value, beside those for properties by name. */
interface ObjectSchemas {
  readonly properties: ReadonlyMap<string, CompiledSchema>;
  readonly patterned: readonly (readonly [pattern: LinearPattern, schema: CompiledSchema])[];
  /** Schema of all other properties. */
  readonly additional: CompiledSchema | undefined;
}

/**
 * Makes the rule of `properties`, `patternProperties` and `additionalProperties`.
 *
 * @param schemas The schemas of properties.
 * @returns The rule.
 */
export function makePropertiesRule({ properties, patterned, additional }: ObjectSchemas): SchemaRule {
  return ({ members }, scope) => {
    scope.run.spend(members.size * (1 + patterned.length));
    for (const [name, place] of members) {
      const named = properties.get(name);
      let isCovered = named !== undefined;
      let faults = named && checkInside(named, place, { scope, keyword: "properties" });
      for (const [pattern, schema] of patterned) {
        if (faults !== undefined) return faults;
        if (!scope.run.matchesName(pattern, name)) continue;
        isCovered = true;
        faults = checkInside(schema, place, { scope, keyword: "patternProperties" });
      }
      if (!isCovered && additional !== undefined) {
        isCovered = true;
        faults = checkInside(additional, place, { scope, keyword: "additionalProperties" });
      }
      if (faults !== undefined) return faults;
      if (isCovered) scope.evaluated?.add(name);
    }
    return undefined;
  };
}

/**
 * Makes the rule of `unevaluatedProperties`.
 *
 * @param schema The schema of all properties that nothing else has spoken of.
 * @returns The rule.
 */
export function makeUnevaluatedPropertiesRule(schema: CompiledSchema): SchemaRule {
  return ({ members }, scope) => {
    scope.run.spend(members.size);
    for (const [name, place] of members) {
      if (scope.evaluated?.has(name)) continue;
      const faults = checkInside(schema, place, { scope, keyword: "unevaluatedProperties" });
      if (faults !== undefined) return faults;
      scope.evaluated?.add(name);
    }
    return undefined;
  };
}

/**
 * Makes the rule of `propertyNames`.
 *
 * @param schema The schema of the names.
 * @returns The rule.
 */
export function makeNamesRule(schema: CompiledSchema): SchemaRule {
  return (place, { run }) => {
    run.spend(place.members.size);
    for (const name of place.names) {
      const { faults } = run.check(schema, name);
      if (faults !== undefined) return [{ place, keyword: "propertyNames" }, ...faults];
    }
    return undefined;
  };
}

/** Schemas of an array's items. */
interface ArraySchemas {
  /** Schemas of the first items, one each, and the keyword that they stand under. */
  readonly first: readonly CompiledSchema[];
  readonly firstKeyword: string;
  /** Schema of all other items. */
  readonly rest: CompiledSchema | undefined;
  readonly restKeyword: string;
}

/**
 * Makes the rule of `prefixItems`, `items` and `additionalItems`.
 *
 * @param schemas The schemas of items.
 * @returns The rule.
 */
export function makeItemsRule({ first, firstKeyword, rest, restKeyword }: ArraySchemas): SchemaRule {
  return ({ items }, scope) => {
    scope.run.spend(items.length);
    for (const [index, place] of items.entries()) {
      const schema = first[index] ?? rest;
      if (schema === undefined) break;
      const keyword = index < first.length ? firstKeyword : restKeyword;
      const faults = checkInside(schema, place, { scope, keyword });
      if (faults !== undefined) return faults;
      scope.evaluated?.add(index);
    }
    return undefined;
  };
}

/**
 * Makes the rule of `unevaluatedItems`.
 *
 * @param schema The schema of all items that nothing else has spoken of.
 * @returns The rule.
 */
export function makeUnevaluatedItemsRule(schema: CompiledSchema): SchemaRule {
  return ({ items }, scope) => {
    scope.run.spend(items.length);
    for (const [index, place] of items.entries()) {
      if (scope.evaluated?.has(index)) continue;
      const faults = checkInside(schema, place, { scope, keyword: "unevaluatedItems" });
      if (faults !== undefined) return faults;
      scope.evaluated?.add(index);
    }
    return undefined;
  };
}

/**
 * Makes the rule of `contains`, `minContains` and `maxContains`.
 *
 * @param schema The schema that some items must follow.
 * @param bounds How many at least and at most.
 * @returns The rule.
 */
export function makeContainsRule(
  schema: CompiledSchema,
  { least, most }: { readonly least: number; readonly most: number },
): SchemaRule {
  return (place, { run, evaluated }) => {
    if (place.kind !== "array") return undefined;
    run.spend(place.items.length);
    let count = 0;
    for (const [index, item] of place.items.entries()) {
      if (run.check(schema, item).faults !== undefined) continue;
      evaluated?.add(index);
      if (++count > most) return [{ place, keyword: "maxContains" }];
    }
    return count < least ? [{ place, keyword: least > 1 ? "minContains" : "contains" }] : undefined;
  };
}

/** Checks what is inside; where nothing may stand, it is the keyword outside that is broken. */
function checkInside(
  schema: CompiledSchema,
  place: Place,
  { scope, keyword }: { readonly scope: RuleScope; readonly keyword: string },
): readonly Fault[] | undefined {
  const { faults } = scope.run.check(schema, place);
  if (faults === undefined || schema.rules[0] !== refuse || place.within === undefined) return faults;
  return [{ place: place.within, keyword }];
}

/** The rule of the schema `false`. */
export function refuse(place: Place): readonly Fault[] {
  return [{ place, keyword: "false" }];
}
