import { TrackingError } from "./errors.ts";

/** How a value is compared. */
export type Comparator =
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "LIKE"
  | "ILIKE"
  | "RLIKE"
  | "IN"
  | "NOT IN"
  | "IS NULL"
  | "IS NOT NULL";

/** One condition of a filter. */
export interface Comparison<Entity extends string = string> {
  /** What is compared: a name of the grammar, such as `tag`. */
  readonly entity: Entity;
  /** Which one of them, such as a tag's key. */
  readonly key: string;
  /** How it is compared. */
  readonly comparator: Comparator;
  /** What it is compared with; none for `IS NULL` and `IS NOT NULL`, a list for `IN` and `NOT IN`. */
  readonly value: string | number | readonly string[] | undefined;
}

/** One field to order by. */
export interface OrderBy<Entity extends string = string> {
  /** What is ordered by: a name of the grammar, such as `metric`. */
  readonly entity: Entity;
  /** Which one of them, such as a metric's key. */
  readonly key: string;
  /** Whether the smallest comes first. */
  readonly ascending: boolean;
}

/** What may be compared with what. */
export interface FilterField {
  /**
   * Kind of its values: numbers stand bare, text in quotes. What is `mixed` is a number where it is compared by order,
   * and text elsewhere.
   */
  readonly type: "text" | "number" | "mixed";
  /** How it may be compared. */
  readonly comparators: readonly Comparator[];
  /** The key that it is another name of. */
  readonly aliasOf?: string;
}

/** Things of one kind in a filter, such as `tags.…`. */
export interface FilterEntity {
  /** What may stand before the dot. The entity `attribute` may go without. */
  readonly names: readonly string[];
  /** The keys that there are; a single field where any key is right. */
  readonly keys:
    | { readonly any: FilterField }
    | {
      readonly fields: { readonly [key: string]: FilterField };
      /** Beginnings of keys that may go on in any way, such as `attributes.`. */
      readonly prefixes?: { readonly [prefix: string]: FilterField };
    };
}

/** Everything that a filter may speak of, by name. */
export type FilterGrammar<Entity extends string = string> = { readonly [entity in Entity]: FilterEntity };

/** Comparators of numbers. */
export const NUMBER_COMPARATORS: readonly Comparator[] = ["=", "!=", "<", "<=", ">", ">="];
/** Comparators that look at which is greater. */
const ORDER: readonly Comparator[] = ["<", "<=", ">", ">="];
/** Comparators of text. */
export const TEXT_COMPARATORS: readonly Comparator[] = ["=", "!=", "LIKE", "ILIKE"];

/**
 * Reads a filter as MLflow writes it: comparisons, all of which must hold, joined by `AND`.
 *
 * A comparison is `entity.key comparator value`. Keys with other characters than letters, digits, `_` and `.` stand in
 * backticks or double quotes, text in single or double quotes, lists in parentheses. Words are the same in upper and
 * lower case.
 *
 * @param text The filter; none is no condition.
 * @param grammar What it may speak of: runs, experiments, logged models and registered models each have their own.
 * @returns The comparisons, in their order.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE` with what is wrong and what would be right.
 */
export function parseFilter<Entity extends string>(
  text: string | undefined,
  grammar: FilterGrammar<Entity>,
): Comparison<Entity>[] {
  const comparisons: Comparison<Entity>[] = [];
  if (text === undefined || text.trim() === "") return comparisons;
  const scanner = new Scanner(text, `read filter "${text}"`);
  do {
    comparisons.push(readComparison(scanner, grammar));
  } while (scanner.take(/and\b/iy) !== undefined);
  scanner.end("conditions can only be joined by AND");
  return comparisons;
}

/**
 * Reads what to order by: a field as in {@linkcode parseFilter}, then `ASC` (the default) or `DESC`.
 *
 * @param text Such as `metrics.accuracy DESC`.
 * @param grammar What it may speak of.
 * @returns The field.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE` with what is wrong and what would be right.
 */
export function parseOrderBy<Entity extends string>(text: string, grammar: FilterGrammar<Entity>): OrderBy<Entity> {
  const scanner = new Scanner(text, `read order "${text}"`);
  const { entity, key } = readField(scanner, grammar);
  const direction = scanner.take(/(?:asc|desc)\b/iy)?.toLowerCase();
  scanner.end("a field is followed by ASC, DESC or nothing");
  return { entity, key, ascending: direction !== "desc" };
}

function readComparison<Entity extends string>(scanner: Scanner, grammar: FilterGrammar<Entity>): Comparison<Entity> {
  const { entity, key, field } = readField(scanner, grammar);
  const word = scanner.take(
    /<=|>=|!=|=|<|>|(?:like|ilike|rlike|in|not\s+in|is\s+null|is\s+not\s+null)(?![\p{L}\p{N}_.])/iuy,
  );
  const found = word?.toUpperCase().replace(/\s+/g, " ");
  const comparator = field.comparators.find((known) => known === found);
  if (comparator === undefined) {
    const allowed = field.comparators.join(", ");
    throw scanner.refusal(`"${entity}" "${key}" can be compared by ${allowed} only`, word);
  }
  return { entity, key, comparator, value: readValue(scanner, field, comparator) };
}

function readValue(scanner: Scanner, field: FilterField, comparator: Comparator): Comparison["value"] {
  if (comparator === "IS NULL" || comparator === "IS NOT NULL") return undefined;
  if (comparator === "IN" || comparator === "NOT IN") return readList(scanner);
  const isNumber = field.type === "number" || field.type === "mixed" && ORDER.includes(comparator);
  if (!isNumber) return readText(scanner);
  const number = scanner.take(/-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?![\p{L}\p{N}_.])/iuy);
  if (number === undefined) throw scanner.refusal("a number is expected, without quotes");
  return Number(number);
}

function readList(scanner: Scanner): string[] {
  if (scanner.take(/\(/y) === undefined) throw scanner.refusal("a list is expected, such as ('a', 'b')");
  const values: string[] = [];
  do {
    values.push(readText(scanner));
  } while (scanner.take(/,(?!\s*\))/y) !== undefined);
  if (scanner.take(/,?\s*\)/y) === undefined) throw scanner.refusal("the list must end with a parenthesis");
  return values;
}

/** Text is what stands between its quotes, as MLflow takes it: quotes in it can only be of the other kind. */
function readText(scanner: Scanner): string {
  const text = scanner.take(/'(?:''|\\'|[^'])*'|"(?:""|[^"])*"/y);
  if (text === undefined) throw scanner.refusal("text is expected, in quotes");
  return text.slice(1, -1);
}

function readField<Entity extends string>(
  scanner: Scanner,
  grammar: FilterGrammar<Entity>,
): { entity: Entity; key: string; field: FilterField } {
  const part = '(?:[\\p{L}\\p{N}_]+|`[^`]*`|"[^"]*")';
  const identifier = scanner.take(new RegExp(`${part}(?:\\.${part})*`, "uy"));
  if (identifier === undefined) {
    throw scanner.refusal(`a field is expected (${namesOf(grammar)}); put keys with other characters in backticks`);
  }
  if (scanner.isAt(/[^\s<>=!]/)) {
    throw scanner.refusal(`keys with such characters stand in backticks, as in ${identifier.split(".")[0]}.\`a-b\``);
  }
  const [, first = "", rest] = new RegExp(`^(${part})(?:\\.(.*))?$`, "us").exec(identifier) ?? [];
  const name = rest === undefined ? "attribute" : unquote(first);
  const key = unquote(rest ?? first);
  for (const entity in grammar) {
    const { names, keys } = grammar[entity];
    if (entity !== name && !names.includes(name)) continue;
    if ("any" in keys) return { entity, key, field: keys.any };
    const prefix = Object.keys(keys.prefixes ?? {}).find((start) => key.startsWith(start) && key.length > start.length);
    const field = Object.hasOwn(keys.fields, key) ? keys.fields[key] : keys.prefixes?.[prefix ?? ""];
    if (field !== undefined) return { entity, key: field.aliasOf ?? key, field };
    const known = Object.keys(keys.fields).filter((other) => keys.fields[other]?.aliasOf === undefined)
      .concat(Object.keys(keys.prefixes ?? {}).map((start) => `${start}<key>`));
    throw scanner.refusal(`"${key}" is no key of "${entity}": there are ${known.join(", ")}`, identifier);
  }
  throw scanner.refusal(`there is no "${name}": there are ${namesOf(grammar)}`, identifier);
}

function namesOf(grammar: FilterGrammar): string {
  return Object.entries(grammar).map(([entity, { names, keys }]) => {
    const name = names[0] ?? entity;
    if ("any" in keys) return `${name}.<key>`;
    return Object.keys(keys.fields).filter((key) => keys.fields[key]?.aliasOf === undefined)
      .map((key) => entity === "attribute" ? key : `${name}.${key}`).join(", ");
  }).join(", ");
}

function unquote(text: string): string {
  return /^(?:`[^`]*`|"[^"]*")$/s.test(text) ? text.slice(1, -1) : text;
}

/** A text that is read from left to right. */
class Scanner {
  readonly #text: string;
  readonly #action: string;
  #position = 0;

  constructor(text: string, action: string) {
    this.#text = text;
    this.#action = action;
  }

  /** Takes what a sticky pattern finds after white space; nothing is taken if it does not match. */
  take(pattern: RegExp): string | undefined {
    this.#skipSpace();
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    this.#position += found?.length ?? 0;
    return found;
  }

  /** Whether the very next character is such a one. */
  isAt(pattern: RegExp): boolean {
    return pattern.test(this.#text.charAt(this.#position));
  }

  /** Makes sure that nothing is left. */
  end(hint: string): void {
    this.#skipSpace();
    if (this.#position < this.#text.length) throw this.refusal(hint);
  }

  /** The error for what stands here, or for what was taken last. */
  refusal(fault: string, taken?: string): TrackingError {
    this.#skipSpace();
    const start = taken === undefined ? this.#position : this.#text.lastIndexOf(taken, this.#position);
    const rest = this.#text.slice(start);
    const place = rest === "" ? "at its end" : `at "${rest.length > 40 ? `${rest.slice(0, 40)}…` : rest}"`;
    return new TrackingError("INVALID_PARAMETER_VALUE", `Cannot ${this.#action}: ${place}, ${fault}`);
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#position))) this.#position++;
  }
}
