import * as v from "valibot";
import {
  type Custom,
  type Explain,
  explain,
  isJsonObject,
  type JsonObject,
  listWords,
  naming,
  refusal,
} from "./_schema.ts";

/** An object with some known members. */
export type Shape<Entries extends v.ObjectEntries> = v.LooseObjectSchema<Entries, Explain>;

/** How to read an object. */
export interface ShapeOptions {
  /** Optional members in which `null` has a meaning of its own. @default {[]} */
  readonly nullable?: readonly string[];
}

// A loose object leaves these names out. Here nothing is left out: they are put back as plain own members.
const SPECIAL_KEYS = ["__proto__", "constructor", "prototype"] as const;

/**
 * An object with some known members; all others are kept as they are. An optional member that is `null` (or, in an
 * object that did not come from JSON, `undefined`) counts as absent. Arrays are not kept out: see {@linkcode object}.
 */
export function shape<const Entries extends v.ObjectEntries>(
  entries: Entries,
  options: ShapeOptions = {},
): Shape<Entries> {
  const { nullable = [] } = options;
  const optional = new Set(Object.keys(entries).filter((key) => entries[key]?.type === "exact_optional"));
  for (const key of nullable) optional.delete(key);
  const schema = naming(
    v.looseObject(entries, (issue: v.BaseIssue<unknown>) => explainMember(entries, issue)),
    "an object",
  );
  const run = schema["~run"].bind(schema);
  return Object.assign(schema, {
    "~run": (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>): ReturnType<typeof run> => {
      const input = dataset.value;
      if (!isJsonObject(input)) return run(dataset, config);
      for (const key in input) {
        if (input[key] == null && optional.has(key)) {
          dataset = { value: withoutNulls(input, optional) };
          break;
        }
      }
      const result = run(dataset, config);
      keepSpecialKeys(input, result.value);
      return result;
    },
  });
}

/**
 * The message of an object. It is asked for those of missing members, too: for them valibot does not get as far as the
 * member's schema.
 */
export function explainMember(entries: v.ObjectEntries, issue: v.BaseIssue<unknown>): string {
  const key = issue.path?.at(-1)?.key;
  if (typeof key !== "string") return explain(issue);
  return `Expected ${entries[key]?.expects}, found nothing`;
}

function withoutNulls(input: JsonObject, optional: ReadonlySet<string>): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  for (const key of Object.keys(input)) {
    if (input[key] != null || !optional.has(key)) setMember(output, key, input[key]);
  }
  return output;
}

function keepSpecialKeys(input: object, output: unknown): void {
  if (typeof output !== "object" || output === null) return;
  for (const key of SPECIAL_KEYS) {
    if (Object.hasOwn(input, key)) defineMember(output, key, Reflect.get(input, key));
  }
}

/** Sets an own member, whatever its name: `__proto__` too, without touching the prototype. */
export function setMember(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") defineMember(target, key, value);
  else target[key] = value;
}

function defineMember(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

/** A {@linkcode shape} that does not take an array for an object. */
export function object<const Entries extends v.ObjectEntries>(
  entries: Entries,
  options: ShapeOptions = {},
): v.LazySchema<Shape<Entries> | Custom<never>> {
  const known = shape(entries, options);
  const notObject = refusal("an object");
  return naming(v.lazy((input) => isJsonObject(input) ? known : notObject), "an object");
}

/**
 * One of several shapes, told apart by the word in one member. The right one is looked up rather than tried, which
 * saves a failed attempt for each other; the variant itself only tells which words are right.
 */
export function tagged<const Key extends string, const Options extends v.VariantOptions<Key>>(
  key: Key,
  options: Options,
): v.LazySchema<Options[number] | v.VariantSchema<Key, Options, Explain> | Custom<never>> {
  const byWord = new Map<unknown, Options[number]>();
  for (const option of options) {
    const entry = "entries" in option ? option.entries[key] : undefined;
    if (entry !== undefined && "literal" in entry) byWord.set(entry.literal, option);
  }
  const words = listWords([...byWord.keys()].map(String));
  const variant = v.variant(key, options, (issue: v.BaseIssue<unknown>) => explain({ ...issue, expected: words }));
  const notObject = refusal("an object");
  return naming(v.lazy((input) => isJsonObject(input) ? byWord.get(input[key]) ?? variant : notObject), "an object");
}
