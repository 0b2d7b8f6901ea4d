/**
 * From the schemas that check requests to such as can be written down.
 *
 * The former choose by what they meet (`v.lazy`) and check by functions (`v.custom`), which is fast and explains well,
 * but says nothing of itself. Here the same is put together from valibot's plain parts. That both take the same values
 * is tested with values of all kinds.
 *
 * @module
 */
import * as v from "valibot";
import { freeForm, nonEmptyText } from "../../types/_schema.ts";
import {
  branchesOf,
  isObjectSchema,
  isRefusal,
  leadsTo,
  literalsOf,
  OBJECT_PROBES,
  type ObjectSchema,
  unwrap,
} from "./branches.ts";

/** Who writes the values: a client, whose `null` counts as absent, or this server, which leaves out what is absent. */
export type Writer = "client" | "server";

/** How the options of a union are told apart. */
export interface Tagged {
  /** The member that has the word. */
  readonly key: string;
  /** The options by their words. */
  readonly options: ReadonlyMap<string, unknown>;
}

/** How to translate schemas. */
export interface PlainOptions {
  /** Who writes the values. */
  readonly writer: Writer;
  /** What stands for schemas that say nothing of themselves. */
  readonly known?: ReadonlyMap<v.GenericSchema, v.GenericSchema>;
}

/** Translates schemas; each always to the same, so that names can be given to what comes out. */
export class Plain {
  readonly #writer: Writer;
  readonly #made: Map<v.GenericSchema, v.GenericSchema>;
  readonly #tagged = new Map<unknown, Tagged>();

  /**
   * Makes a translator.
   *
   * @param options How to translate.
   */
  constructor({ writer, known = new Map() }: PlainOptions) {
    this.#writer = writer;
    this.#made = new Map([...known, [freeForm, v.looseObject({})], [nonEmptyText, v.pipe(v.string(), v.minLength(1))]]);
  }

  /** Translates a schema. */
  of(schema: v.GenericSchema): v.GenericSchema {
    let plain = this.#made.get(schema);
    if (plain === undefined) this.#made.set(schema, plain = this.#make(schema));
    return plain;
  }

  /** How the options of a translated union are told apart, if by a word. */
  taggedOf(plain: unknown): Tagged | undefined {
    return this.#tagged.get(plain);
  }

  #make(schema: v.GenericSchema): v.GenericSchema {
    if ("pipe" in schema) return this.#pipe(schema.pipe);
    if (isObjectSchema(schema)) return v.looseObject(this.#entries(schema));
    switch (schema.type) {
      case "string":
      case "boolean":
      case "literal":
      case "picklist":
      case "null":
      case "number":
      case "unknown":
      case "record":
      case "strict_object":
        return schema;
      case "array":
        return v.array(this.of(member(schema, "item")));
      case "union":
        return v.union(members(schema, "options").map((option) => this.of(option)));
      case "nullable":
        return v.nullable(this.of(unwrap(schema)));
      case "lazy":
        return this.#lazy(schema);
      case "custom":
        return number(schema);
      default:
        throw new Error(`Cannot describe a schema of type "${schema.type}": it is not known here. Add it`);
    }
  }

  /** What goes in is what the first part takes, if all others only make something of it. */
  #pipe(pipe: unknown): v.GenericSchema {
    if (Array.isArray(pipe)) {
      const [first, ...rest]: readonly unknown[] = pipe;
      if (isSchema(first) && rest.every((part) => isSchema(part) || isTransformation(part))) return this.of(first);
    }
    throw new Error("Cannot describe a schema that checks by a function: it must be among those that are known");
  }

  #entries({ entries }: ObjectSchema): Record<string, v.GenericSchema> {
    return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, this.#entry(entry)]));
  }

  #entry(entry: v.GenericSchema): v.GenericSchema {
    const known = this.#made.get(entry);
    if (known !== undefined) return known;
    const isOptional = entry.type === "exact_optional";
    if (!isOptional && entry.type !== "nullish") return this.of(entry);
    const wrapped = unwrap(entry);
    if (this.#writer === "server") return isOptional ? v.optional(this.of(wrapped)) : v.nullable(this.of(wrapped));
    if (isRefusal(wrapped)) {
      return v.optional(v.pipe(v.null(), v.description(`Not taken: send ${wrapped.expects}.`)));
    }
    const plain = this.of(wrapped);
    return v.optional(plain.type === "nullable" ? plain : v.nullable(plain));
  }

  #lazy(schema: v.GenericSchema): v.GenericSchema {
    const { text, array, lengths: { least, most }, objects } = branchesOf(schema);
    const options: v.GenericSchema[] = [];
    if (text !== undefined) options.push(this.of(text));
    if (array !== undefined) {
      const items = v.array(this.of(member(array, "item")));
      const limits = { ...least > 0 && { minItems: least }, ...most !== undefined && { maxItems: most } };
      options.push(Object.keys(limits).length === 0 ? items : v.pipe(items, v.metadata(limits)));
    }
    if (objects.length > 0) options.push(this.#objects(schema, objects));
    const [only, second] = options;
    if (only === undefined) throw new Error(`Cannot describe a schema that takes nothing: "${schema.expects}"`);
    return second === undefined ? only : v.union(options);
  }

  #objects(schema: v.GenericSchema, objects: readonly ObjectSchema[]): v.GenericSchema {
    const [only, second] = objects;
    if (only !== undefined && second === undefined) return this.of(only);
    const keys = new Set(objects.flatMap((object) => Object.keys(literalsOf(object))));
    const options = objects.map((object) =>
      Object.keys(literalsOf(object)).length > 0 ? this.of(object) : this.#untagged(schema, object, [...keys])
    );
    const union = v.union(options);
    const key = [...keys].find((key) => objects.every((object) => key in literalsOf(object)));
    if (key !== undefined) {
      const words = objects.map((object) => String(literalsOf(object)[key]));
      this.#tagged.set(union, { key, options: new Map(words.map((word, i) => [word, options[i]])) });
    }
    return union;
  }

  /** Beside objects that are told apart by a word, one that has no such word. */
  #untagged(schema: v.GenericSchema, object: ObjectSchema, keys: readonly string[]): v.GenericSchema {
    const probe = OBJECT_PROBES.find((probe) => leadsTo(schema, object, probe));
    const absent = keys.map((key) => {
      const isNullTaken = leadsTo(schema, object, { ...probe, [key]: null });
      return [key, v.optional(isNullTaken ? v.null() : v.never())];
    });
    return v.looseObject({ ...this.#entries(object), ...Object.fromEntries(absent) });
  }
}

function isSchema(part: unknown): part is v.GenericSchema {
  return typeof part === "object" && part !== null && "kind" in part && part.kind === "schema";
}

function isTransformation(part: unknown): boolean {
  return typeof part === "object" && part !== null && "type" in part && part.type === "transform";
}

function member(schema: v.GenericSchema, name: string): v.GenericSchema {
  const value: unknown = Reflect.get(schema, name);
  if (!isSchema(value)) throw new Error(`Cannot describe a schema of type "${schema.type}": it has no "${name}"`);
  return value;
}

function members(schema: v.GenericSchema, name: string): readonly v.GenericSchema[] {
  const value: unknown = Reflect.get(schema, name);
  return Array.isArray(value) ? value.filter(isSchema) : [];
}

/** Numbers tell their bounds in what they expect. */
const NUMBER_REGEXP =
  /^(?:a (?<number>number)|an? (?:safe )?integer)(?: from (?<least>\S+) to (?<most>\S+)| of at least (?<only>\S+))?$/;

function number(schema: v.GenericSchema): v.GenericSchema {
  const groups = NUMBER_REGEXP.exec(schema.expects)?.groups;
  if (groups === undefined) throw new Error(`Cannot describe a schema that expects ${schema.expects}: it is not known`);
  const isInteger = groups["number"] === undefined;
  const least = groups["least"] ?? groups["only"];
  const most = groups["most"];
  const parts = {
    ...least !== undefined ? { minimum: Number(least) } : isInteger && { minimum: Number.MIN_SAFE_INTEGER },
    ...most !== undefined ? { maximum: Number(most) } : isInteger && { maximum: Number.MAX_SAFE_INTEGER },
  };
  for (const bound of Object.values(parts)) {
    if (!v.is(schema, bound)) throw new Error(`Cannot describe a number: ${bound} is not ${schema.expects}`);
  }
  return v.pipe(v.number(), v.metadata({ ...isInteger && { type: "integer" }, ...parts }));
}
