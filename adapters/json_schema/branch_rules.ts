import type { CompiledSchema, Fault, RuleScope, SchemaRule, Verdict } from "./schema_run.ts";

/**
 * Makes the rule of `allOf`, or of `$ref`, which is like it with a single schema.
 *
 * @param schemas The schemas that must all hold.
 * @returns The rule.
 */
export function makeAllRule(schemas: readonly CompiledSchema[]): SchemaRule {
  return (place, scope) => {
    for (const schema of schemas) {
      const verdict = scope.run.check(schema, place);
      if (verdict.faults !== undefined) return verdict.faults;
      note(verdict, scope);
    }
    return undefined;
  };
}

/**
 * Makes the rule of `anyOf`.
 *
 * @param schemas The schemas of which one must hold.
 * @returns The rule.
 */
export function makeAnyRule(schemas: readonly CompiledSchema[]): SchemaRule {
  return (place, scope) => {
    const found: Fault[] = [{ place, keyword: "anyOf" }];
    let holds = false;
    for (const schema of schemas) {
      const verdict = scope.run.check(schema, place);
      if (verdict.faults !== undefined) found.push(...verdict.faults);
      else {
        holds = true;
        note(verdict, scope);
        // Each branch that holds adds to what is spoken of: if no one asks, one is enough.
        if (scope.evaluated === undefined) return undefined;
      }
    }
    return holds ? undefined : found;
  };
}

/**
 * Makes the rule of `oneOf`.
 *
 * @param schemas The schemas of which exactly one must hold.
 * @returns The rule.
 */
export function makeOneRule(schemas: readonly CompiledSchema[]): SchemaRule {
  return (place, scope) => {
    const found: Fault[] = [{ place, keyword: "oneOf" }];
    let held: Verdict | undefined;
    for (const schema of schemas) {
      const verdict = scope.run.check(schema, place);
      if (verdict.faults !== undefined) found.push(...verdict.faults);
      else if (held !== undefined) return [{ place, keyword: "oneOf" }];
      else held = verdict;
    }
    if (held === undefined) return found;
    note(held, scope);
    return undefined;
  };
}

/**
 * Makes the rule of `not`.
 *
 * @param schema The schema that must not hold.
 * @returns The rule.
 */
export function makeNotRule(schema: CompiledSchema): SchemaRule {
  return (place, { run }) => run.check(schema, place).faults === undefined ? [{ place, keyword: "not" }] : undefined;
}

/**
 * Makes the rule of `if`, `then` and `else`.
 *
 * @param condition The schema that decides.
 * @param branches The schemas that must hold if it does, and if it does not.
 * @returns The rule.
 */
export function makeIfRule(
  condition: CompiledSchema,
  branches: { readonly then: CompiledSchema | undefined; readonly else: CompiledSchema | undefined },
): SchemaRule {
  return (place, scope) => {
    const decided = scope.run.check(condition, place);
    if (decided.faults === undefined) note(decided, scope);
    const schema = decided.faults === undefined ? branches.then : branches.else;
    if (schema === undefined) return undefined;
    const verdict = scope.run.check(schema, place);
    if (verdict.faults !== undefined) return [{ place, keyword: "if" }, ...verdict.faults];
    note(verdict, scope);
    return undefined;
  };
}

/**
 * Makes the rule of `dependentSchemas`, `dependentRequired` or `dependencies`, which is both.
 *
 * @param keyword The keyword.
 * @param dependents For the name of a property, what must hold or be there if it is there.
 * @returns The rule.
 */
export function makeDependentRule(
  keyword: string,
  dependents: ReadonlyMap<string, CompiledSchema | readonly unknown[]>,
): SchemaRule {
  return (place, scope) => {
    const { members } = place;
    scope.run.spend(members.size);
    for (const name of members.keys()) {
      const dependent = dependents.get(name);
      if (dependent === undefined) continue;
      if ("rules" in dependent) {
        const verdict = scope.run.check(dependent, place);
        if (verdict.faults !== undefined) return [{ place, keyword }, ...verdict.faults];
        note(verdict, scope);
      } else {
        scope.run.spend(dependent.length);
        if (!dependent.every((other) => typeof other === "string" && members.has(other))) return [{ place, keyword }];
      }
    }
    return undefined;
  };
}

/** Notes what a schema that holds has spoken of. */
function note({ evaluated }: Verdict, scope: RuleScope): void {
  if (evaluated === undefined || scope.evaluated === undefined) return;
  scope.run.spend(evaluated.size);
  for (const key of evaluated) scope.evaluated.add(key);
}
