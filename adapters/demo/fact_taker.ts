import type { JsonSchema } from "../../types/mod.ts";
import { type PromptFact, type PromptFacts, readNamedValue } from "./prompt_facts.ts";
import { fitsNumber, fitsText } from "./scalar_faker.ts";
import { findName } from "./words.ts";

/** Hands out the facts of a prompt, each once. */
export class FactTaker {
  readonly #facts: PromptFacts;
  readonly #used = new Set<PromptFact>();
  #lowerCaseText: string | undefined;

  /**
   * Begins with all facts.
   *
   * @param facts The prompt.
   */
  constructor(facts: PromptFacts) {
    this.#facts = facts;
  }

  /** How many facts are taken so far. */
  get takenCount(): number {
    return this.#used.size;
  }

  /**
   * Takes what the prompt gives under a name, such as `limit = 3`.
   *
   * @param name Name of a property.
   * @param convert Makes the value fit, or returns `undefined` to leave it.
   * @returns The converted value, or `undefined`.
   */
  takeNamed(name: string, convert: (value: unknown) => unknown): unknown {
    const named = readNamedValue(this.#facts, name);
    const value = named && convert(named.value);
    if (value !== undefined && named?.fact !== undefined) this.#used.add(named.fact);
    return value;
  }

  /**
   * Tells which of several values the prompt mentions: words in any case, numbers, booleans.
   *
   * @param members The values.
   * @param most How many to take.
   * @returns Those mentioned, in the order of their first mention.
   */
  takeMentioned(members: readonly unknown[], most: number): unknown[] {
    const { text, items } = this.#facts;
    const lowerCaseText = this.#lowerCaseText ??= text.toLowerCase();
    const taken = members
      .map((member) => ({
        member,
        start: typeof member === "string"
          ? findName(lowerCaseText, member.toLowerCase())
          : items.find((fact) => fact.value === member)?.start ?? -1,
      }))
      .filter(({ start }) => start !== -1)
      .sort((one, other) => one.start - other.start)
      .slice(0, most)
      .map(({ member }) => member);
    for (const fact of items) if (taken.includes(fact.value)) this.#used.add(fact);
    return taken;
  }

  /**
   * Takes the next fact that fits.
   *
   * @param keywords The schema it must obey.
   * @param types The types it may have; empty: any.
   * @returns Its value, or `undefined` if there is none.
   */
  takeNext(keywords: JsonSchema, types: readonly string[]): unknown {
    const { items } = this.#facts;
    const fits = (fact: PromptFact): boolean => !this.#used.has(fact) && fitsSchema(fact, { keywords, types });
    // Unless a format tells what is wanted, what someone put between quotation marks comes before a bare date or URL.
    const prefersPlain = keywords.format !== undefined;
    const fact = items.find((fact) => (prefersPlain || fact.kind !== "plain") && fits(fact)) ?? items.find(fits);
    if (fact === undefined) return undefined;
    this.#used.add(fact);
    return fact.value;
  }
}

function fitsSchema(
  fact: PromptFact,
  schema: { readonly keywords: JsonSchema; readonly types: readonly string[] },
): boolean {
  const { keywords, types } = schema;
  switch (fact.kind) {
    case "number":
      return fitsNumber(keywords, fact.value) &&
        (types.length === 0 || types.includes("number") || (types.includes("integer") && Number.isInteger(fact.value)));
    case "boolean":
      return types.includes("boolean");
    default:
      return (types.length === 0 || types.includes("string")) && fitsText(keywords, fact.value);
  }
}
