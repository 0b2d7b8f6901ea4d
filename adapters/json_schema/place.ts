/** The types of JSON. */
export type JsonKind = "null" | "boolean" | "number" | "string" | "array" | "object";

const NO_MEMBERS: ReadonlyMap<string, Place> = new Map();
const NO_ITEMS: readonly Place[] = [];

/**
 * A value inside the value that is checked, and where it stands. There is one object for each, by which what is known
 * about it can be found again.
 */
export class Place {
  /** The value. */
  readonly value: unknown;
  /** Its type. */
  readonly kind: JsonKind;
  /** Name or index that leads to it. */
  readonly key: string;
  /** The place that it is in; absent for the whole value. */
  readonly within: Place | undefined;
  #members: ReadonlyMap<string, Place> | undefined;
  #items: readonly Place[] | undefined;
  #names: readonly Place[] | undefined;

  /**
   * Makes a place.
   *
   * @param value The JSON value there.
   * @param key Name or index that leads to it. @default {""}
   * @param within The place that it is in; absent for the whole value.
   */
  constructor(value: unknown, key = "", within?: Place) {
    this.value = value;
    this.kind = kindOf(value);
    this.key = key;
    this.within = within;
  }

  /** The object's properties by their names; empty for all else. */
  get members(): ReadonlyMap<string, Place> {
    if (this.kind !== "object") return NO_MEMBERS;
    return this.#members ??= new Map(
      Object.entries(Object(this.value)).map(([name, value]) => [name, new Place(value, name, this)]),
    );
  }

  /** The array's items; empty for all else. */
  get items(): readonly Place[] {
    if (!Array.isArray(this.value)) return NO_ITEMS;
    return this.#items ??= this.value.map((value, index) => new Place(value, String(index), this));
  }

  /** The names of the object's properties, as values. */
  get names(): readonly Place[] {
    return this.#names ??= [...this.members.keys()].map((name) => new Place(name, name, this));
  }

  /** Whether values stand inside of it. */
  get isContainer(): boolean {
    return this.kind === "object" || this.kind === "array";
  }

  /** Names and indexes that lead to it, from the whole value. */
  get path(): string[] {
    return this.within === undefined ? [] : [...this.within.path, this.key];
  }
}

function kindOf(value: unknown): JsonKind {
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  if (Array.isArray(value)) return "array";
  return typeof value === "object" && value !== null ? "object" : "null";
}

/**
 * Writes a value such that two texts are the same if and only if the values are equal, whatever the order of names.
 *
 * @param value A JSON value.
 * @returns The text.
 */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1);
    return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalText(inner)}`).join()}}`;
  }
  // A number that is too large for a double is infinite here, which JSON cannot write.
  return typeof value === "number" ? String(value === 0 ? 0 : value) : JSON.stringify(value);
}
