import type { JsonSchema } from "../../types/mod.ts";
import type { CallArgument } from "./call_syntax.ts";
import { FactTaker } from "./fact_taker.ts";
import { asArray, isObject, type ResolvedSchema, SchemaDocument } from "./schema_resolve.ts";
import { acceptsValue, coerceValue, enumMembers, typesOf } from "./schema_accept.ts";
import type { PromptFacts } from "./prompt_facts.ts";
import { inventNumber, inventText, numberOr } from "./scalar_faker.ts";

/** Options for {@linkcode fakeValue}. */
export interface FakeOptions {
  /** What the prompt offers. */
  readonly facts: PromptFacts;
  /** Arguments that the prompt gives for the properties of the outermost object, by name or in order. */
  readonly given?: readonly CallArgument[];
  /**
   * Which optional properties to fill: `hinted`: those for which the prompt, `const`, `default` or `examples` give a
   * value. `all`: all but where the schema recurs.
   * @default {"hinted"}
   */
  readonly optional?: "hinted" | "all";
  /** Number to tell several values of one schema apart. @default {0} */
  readonly variant?: number;
}

/** Where a value goes. */
interface Place {
  /** Name of the property, or of the array's; "" if there is none. */
  readonly name: string;
  /** Number to tell the values of an array apart. */
  readonly variant: number;
  /** Whether the schema is within itself: then the value is kept small. */
  readonly recurring: boolean;
}

const MOST_DEPTH = 32;
const MOST_VALUES = 5_000;
const MOST_ITEMS = 1_000;

/**
 * Makes a value that obeys a JSON Schema, out of what a prompt says wherever possible.
 *
 * Every value is, in this order: `const` · what the prompt gives under the property's name (`limit = 3`) · the
 * prompt's next fact that fits (quoted texts for strings, whole numbers for integers, any number for numbers, true,
 * false, yes and no for booleans; of an `enum` the member that the prompt mentions first; a list takes all facts that
 * are left) · `default` · the first of `examples` · the first of `enum` · something plain that obeys type, bounds,
 * lengths, `format`, `pattern` and `multipleOf`. Every fact is used once; required properties come before optional
 * ones and single values before lists.
 *
 * `$ref` (within the document), `allOf`, `anyOf`, `oneOf`, `nullable`, `prefixItems`, `contains`, `uniqueItems` are obeyed;
 * `not`, `if`, `dependentRequired`, `propertyNames`, and that `oneOf` excludes its other branches, are not. Limits
 * against hostile schemas: 32 levels, 5,000 values, 1,000 items in a list, 10,000 characters in a text.
 *
 * @param schema The schema.
 * @param options The prompt's facts and more.
 * @returns A JSON value; `undefined` if the schema allows none that stays within the limits.
 */
export function fakeValue(schema: JsonSchema, options: FakeOptions): unknown {
  return new Faker(schema, options).root();
}

class Faker {
  readonly #schema: JsonSchema;
  readonly #document: SchemaDocument;
  readonly #options: FakeOptions;
  readonly #facts: FactTaker;
  /** References that are being followed, innermost last. */
  readonly #open: string[] = ["#"];
  #depth = 0;
  #valuesLeft = MOST_VALUES;

  constructor(schema: JsonSchema, options: FakeOptions) {
    this.#schema = schema;
    this.#document = new SchemaDocument(schema);
    this.#options = options;
    this.#facts = new FactTaker(options.facts);
  }

  root(): unknown {
    const { given = [], variant = 0 } = this.#options;
    return this.#value(this.#schema, { name: "", variant, recurring: false }, given);
  }

  #value(schema: unknown, place: Place, given: readonly CallArgument[] = []): unknown {
    const resolved = this.#document.resolve(schema);
    return resolved && this.#within(resolved, place, (inner) => this.#fill(resolved, inner, given));
  }

  /** Runs a step with the schema's references open, and within the limits. */
  #within(resolved: ResolvedSchema, place: Place, step: (place: Place) => unknown): unknown {
    if (this.#depth >= MOST_DEPTH || this.#valuesLeft-- <= 0) return undefined;
    const recurring = place.recurring || this.#recurs(resolved);
    const before = this.#open.length;
    this.#open.push(...resolved.references);
    this.#depth++;
    const value = step({ ...place, recurring });
    this.#depth--;
    this.#open.length = before;
    return value;
  }

  #recurs(resolved: ResolvedSchema): boolean {
    return this.#open.some((reference) => resolved.references.has(reference));
  }

  #fill(resolved: ResolvedSchema, place: Place, given: readonly CallArgument[]): unknown {
    const { keywords } = resolved;
    const known = this.#known(resolved, place);
    if (known !== undefined) return known;
    if (keywords.enum !== undefined) {
      const members = enumMembers(keywords);
      return members[place.variant % members.length];
    }
    if (resolved.alternatives.length > 0) {
      return this.#branches(resolved).values()
        .map((branch) => this.#within(branch, place, (inner) => this.#fill(branch, inner, given)))
        .find((value) => value !== undefined);
    }
    return this.#invent(keywords, place, given);
  }

  /** The value, if anything tells it: the schema itself or the prompt. */
  #known(resolved: ResolvedSchema, place: Place): unknown {
    const { keywords } = resolved;
    if (keywords.const !== undefined) return keywords.const;
    const hint = this.#hint(resolved, place);
    if (hint !== undefined) return hint;
    const examples = Array.isArray(keywords.examples) ? keywords.examples : [];
    const told: unknown[] = [keywords.default, ...examples].filter((value) =>
      value !== undefined && value !== null && acceptsValue(resolved, value, this.#document)
    );
    return told[place.variant];
  }

  /** What the prompt tells. */
  #hint(resolved: ResolvedSchema, place: Place): unknown {
    const { keywords } = resolved;
    const types = typesOf(keywords);
    if (place.variant === 0 && !types.includes("array") && !types.includes("object")) {
      const value = this.#facts.takeNamed(place.name, (given) => coerceValue(resolved, given, this.#document));
      if (value !== undefined) return value;
    }
    if (keywords.const !== undefined) return this.#facts.takeMentioned([keywords.const], 1)[0];
    if (keywords.enum !== undefined) return this.#facts.takeMentioned(enumMembers(keywords), 1)[0];
    if (resolved.alternatives.length > 0) {
      return this.#branches(resolved).values()
        .map((branch) => this.#hint(branch, place))
        .find((value) => value !== undefined);
    }
    if (types.includes("array")) {
      const items = this.#itemsOfFacts(keywords, place);
      return items.length === 0 ? undefined : this.#complete(items, keywords, place);
    }
    return types.includes("object") ? undefined : this.#facts.takeNext(keywords, types);
  }

  /** The schema with each of the branches of its first alternative worked in; cheap ones first where it recurs. */
  #branches(resolved: ResolvedSchema): ResolvedSchema[] {
    const cost = (branch: ResolvedSchema): number =>
      this.#recurs(branch) ? 2 : typesOf(branch.keywords).join() === "null" ? 1 : 0;
    return this.#document.branches(resolved).sort((one, other) => cost(one) - cost(other));
  }

  #invent(keywords: JsonSchema, place: Place, given: readonly CallArgument[]): unknown {
    const { name, variant } = place;
    const types = typesOf(keywords);
    if (types.length === 0 && keywords.type !== undefined) return undefined;
    switch (types.find((type) => type !== "null") ?? types[0]) {
      case "object":
        return this.#object(keywords, place, given);
      case "array":
        return this.#complete([], keywords, place);
      case "integer":
        return inventNumber(keywords, { integer: true, variant });
      case "number":
        return inventNumber(keywords, { integer: false, variant });
      case "boolean":
        return variant % 2 === 1;
      case "null":
        return null;
      default: {
        const text = inventText(keywords, { name, prompt: this.#options.facts.text, variant });
        this.#valuesLeft -= text.length >> 6;
        return text;
      }
    }
  }

  #object(keywords: JsonSchema, place: Place, given: readonly CallArgument[]): unknown {
    const { additionalProperties } = keywords;
    const properties = new Map(Object.entries(isObject(keywords.properties) ? keywords.properties : {}));
    const required = new Set(asArray(keywords.required).filter((name) => typeof name === "string"));
    for (const name of required) if (!properties.has(name)) properties.set(name, additionalProperties ?? {});
    const written = assignGiven(given, [...properties.keys()]);
    const rank = ([name, schema]: [string, unknown]): number => (required.has(name) ? 0 : 2) + this.#weight(schema);
    const values = new Map<string, unknown>();
    for (const [name, schema] of [...properties].sort((one, other) => rank(one) - rank(other))) {
      const value = this.#property(schema, { ...place, name }, {
        required: required.has(name),
        given: written.get(name),
      });
      if (value !== undefined) values.set(name, value);
      else if (required.has(name)) return undefined;
    }
    const missing = numberOr(keywords.minProperties, 0);
    for (const [name, schema] of properties) {
      if (values.size >= missing) break;
      const value = values.has(name) ? undefined : this.#value(schema, { ...place, name });
      if (value !== undefined) values.set(name, value);
    }
    for (let number = 1; values.size < missing && additionalProperties !== false; number++) {
      const name = `demo${number}`;
      const value = this.#value(additionalProperties, { ...place, name });
      if (value === undefined) break;
      values.set(name, value);
    }
    const order = [...properties.keys(), ...values.keys()].filter((name) => values.has(name));
    return Object.fromEntries(order.map((name) => [name, values.get(name)]));
  }

  #property(
    schema: unknown,
    place: Place,
    options: { readonly required: boolean; readonly given: unknown },
  ): unknown {
    const resolved = this.#document.resolve(schema);
    if (resolved === undefined) return undefined;
    const given = options.given === undefined ? undefined : coerceValue(resolved, options.given, this.#document);
    if (given !== undefined) return given;
    const fillAll = this.#options.optional === "all" && !place.recurring && !this.#recurs(resolved);
    if (options.required || fillAll) return this.#value(schema, place);
    return place.recurring ? undefined : this.#within(resolved, place, (inner) => this.#known(resolved, inner));
  }

  /** 1 for what takes many facts or has parts, 0 for single values. */
  #weight(schema: unknown): number {
    const types = typesOf(this.#document.resolve(schema)?.keywords ?? {});
    return types.includes("array") || types.includes("object") ? 1 : 0;
  }

  /** As many items as the prompt has facts for; none if the items are not single values of one schema. */
  #itemsOfFacts(keywords: JsonSchema, place: Place): unknown[] {
    const resolved = this.#document.resolve(keywords.items);
    if (resolved === undefined || Array.isArray(keywords.items) || keywords.prefixItems !== undefined) return [];
    const most = Math.min(numberOr(keywords.maxItems, MOST_ITEMS), MOST_ITEMS);
    const { const: only, enum: members } = resolved.keywords;
    if (members !== undefined) return this.#facts.takeMentioned(enumMembers(resolved.keywords), most);
    const items: unknown[] = [];
    if (only !== undefined || typesOf(resolved.keywords).includes("array")) return items;
    while (items.length < most) {
      const { takenCount } = this.#facts;
      const value = this.#hint(resolved, { ...place, name: "" });
      // A mention is not used up by taking it, unlike a fact: the second time it ends the list.
      if (value === undefined || (takenCount === this.#facts.takenCount && items.includes(value))) break;
      if (keywords.uniqueItems !== true || !items.includes(value)) items.push(value);
    }
    return items;
  }

  /** Adds invented items until there are enough. */
  #complete(items: unknown[], keywords: JsonSchema, place: Place): unknown[] | undefined {
    const tuple = asArray(keywords.prefixItems ?? (Array.isArray(keywords.items) ? keywords.items : undefined));
    const rest = Array.isArray(keywords.items) ? keywords.additionalItems : keywords.items;
    const most = Math.min(numberOr(keywords.maxItems, MOST_ITEMS), rest === false ? tuple.length : MOST_ITEMS);
    const usual = place.recurring ? 0 : Math.max(tuple.length, rest === undefined ? 0 : 1, items.length);
    const least = numberOr(keywords.minItems, 0);
    const isUnique = keywords.uniqueItems === true;
    const seen = new Set(items.map((item) => JSON.stringify(item)));
    const count = Math.min(Math.max(least, usual), most);
    if (keywords.contains !== undefined && items.length < most) {
      const item = this.#value(keywords.contains, { ...place, variant: 0 });
      if (item !== undefined) items.push(item);
    }
    let tries = 0;
    for (let variant = items.length; items.length < count; variant++) {
      const item = this.#value(tuple[items.length] ?? rest, { ...place, variant });
      if (item === undefined) break;
      const text = JSON.stringify(item);
      if (isUnique && seen.has(text)) {
        if (++tries > 100) break;
        continue;
      }
      seen.add(text);
      items.push(item);
    }
    return items.length < Math.min(least, MOST_ITEMS) ? undefined : items;
  }
}

/** Lays the arguments of a written call on the properties: by name, the others in order on what is left. */
function assignGiven(given: readonly CallArgument[], names: readonly string[]): Map<string, unknown> {
  const assigned = new Map<string, unknown>();
  for (const { name, value } of given) if (name !== undefined) assigned.set(name, value);
  const free = names.filter((name) => !assigned.has(name));
  given.filter(({ name }) => name === undefined).forEach(({ value }, position) => {
    const name = free[position];
    if (name !== undefined) assigned.set(name, value);
  });
  return assigned;
}
