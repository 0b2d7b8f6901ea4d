import { ChatModelError, ValidationError, type ValidationIssue } from "./types/mod.ts";
import { suggestion } from "./_near_names.ts";

/** Any value of JSON. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Values of a configuration, as written. */
export type ModelConfigValues = { readonly [key: string]: JsonValue };

/** Where a value of a configuration comes from, the weakest first. */
export type ModelConfigSource = "logged" | "file" | "env" | "call";

/** One layer of a configuration. */
export interface ModelConfigLayer {
  /** Where it comes from. */
  readonly source: ModelConfigSource;
  /** Its values. */
  readonly values: ModelConfigValues;
}

/** What a secret's reference begins with: the name of an environment variable follows. */
const REFERENCE = "env:";

/** The type of a value that stands in for another: wide enough for what may have been configured instead. */
export type Widened<Value extends JsonValue> = Value extends boolean ? boolean
  : Value extends number ? number
  : Value extends string ? string
  : Value extends readonly JsonValue[] ? readonly JsonValue[]
  : Value extends null ? JsonValue
  : ModelConfigValues;

/**
 * The configuration of a model: what was logged with it, and what a file, the environment or the caller put in its place.
 *
 * Secrets are configured by reference, as `"env:NAME"`: that is what is logged and shown, and
 * {@linkcode ModelConfig.get} gives the variable's value.
 *
 * @example Usage
 * ```ts
 * import { ModelConfig } from "@chatmodel/chat-model";
 * import { assertEquals } from "@std/assert";
 *
 * const config = ModelConfig.from([
 *   { source: "logged", values: { prompt: "Be brief.", retrieval: { limit: 5 } } },
 *   { source: "call", values: { retrieval: { limit: 3 } } },
 * ]);
 * assertEquals(config.get("retrieval.limit", 10), 3);
 * assertEquals(config.get("prompt", ""), "Be brief.");
 * assertEquals(config.get("retrieval.model", "small"), "small");
 * assertEquals(config.sourceOf("retrieval.limit"), "call");
 * ```
 */
export class ModelConfig {
  readonly #values: ModelConfigValues;
  readonly #layers: readonly ModelConfigLayer[];

  /**
   * Makes a configuration of one layer.
   *
   * @param values Its values.
   * @param layers The layers that they were put together from, the strongest last. Default: the values, as given by the
   * caller.
   */
  constructor(values: ModelConfigValues = {}, layers: readonly ModelConfigLayer[] = [{ source: "call", values }]) {
    this.#values = values;
    this.#layers = layers;
  }

  /**
   * Puts layers together: objects are merged, anything else is replaced.
   *
   * @param layers Layers, the strongest last. If there is one of what was logged, the others may only change what is in
   * it.
   * @returns The configuration.
   * @throws {ValidationError} If a layer has a key that was not logged, or a value of another type than the logged one.
   */
  static from(layers: readonly ModelConfigLayer[]): ModelConfig {
    const logged = layers.find(({ source }) => source === "logged");
    const issues: ValidationIssue[] = [];
    let values: ModelConfigValues = {};
    for (const layer of layers) {
      if (logged !== undefined && layer !== logged) compare(logged.values, layer, "", issues);
      values = merge(values, layer.values);
    }
    if (issues.length > 0) {
      throw new ValidationError("Cannot configure model", issues, { code: "invalid_model_config", param: null });
    }
    return new ModelConfig(values, layers);
  }

  /**
   * A value, as it is configured.
   *
   * @param path Key, or keys with dots between them, such as `"retrieval.limit"`.
   * @returns The value; `undefined` if there is none.
   * @throws {ChatModelError} With code `invalid_model_config` if it refers to an environment variable that is not set.
   */
  get(path: string): JsonValue | undefined;
  /**
   * A value, of the same type as the one that stands in for it.
   *
   * @param path Key, or keys with dots between them, such as `"retrieval.limit"`.
   * @param fallback What to give if nothing is configured.
   * @returns The value.
   * @throws {ChatModelError} With code `invalid_model_config` if the value is of another type, or refers to an
   * environment variable that is not set.
   */
  get<Value extends JsonValue>(path: string, fallback: Value): Widened<Value>;
  get(path: string, fallback?: JsonValue): JsonValue | undefined {
    const found = find(this.#values, path);
    if (found === undefined) return fallback;
    const value = resolve(found, path);
    if (fallback === undefined || fallback === null || typeName(value) === typeName(fallback)) return value;
    throw new ChatModelError(
      `Cannot read "${path}" of the model's configuration: it must be ${typeName(fallback)}, but is ${typeName(value)}`,
      { code: "invalid_model_config" },
    );
  }

  /**
   * Where a value comes from.
   *
   * @param path Key, or keys with dots between them.
   * @returns The strongest layer that has it; `undefined` if none has.
   */
  sourceOf(path: string): ModelConfigSource | undefined {
    return this.#layers.findLast(({ values }) => find(values, path) !== undefined)?.source;
  }

  /**
   * All values as they are configured: secrets are still references.
   *
   * @returns An object of its own.
   */
  toObject(): ModelConfigValues {
    return structuredClone(this.#values);
  }
}

function find(values: ModelConfigValues, path: string): JsonValue | undefined {
  // A key may hold dots itself.
  if (Object.hasOwn(values, path)) return values[path];
  let found: JsonValue | undefined = values;
  for (const key of path.split(".")) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

function resolve(value: JsonValue, path: string): JsonValue {
  if (typeof value === "string" && value.startsWith(REFERENCE)) {
    return readVariable(value.slice(REFERENCE.length), path);
  }
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => resolve(item, `${path}.${index}`));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolve(member, `${path}.${key}`)]));
}

function readVariable(name: string, path: string): string {
  const action = `Cannot read "${path}" of the model's configuration: it refers to the environment variable "${name}"`;
  let value: string | undefined;
  try {
    value = Deno.env.get(name);
  } catch (cause) {
    throw new ChatModelError(`${action}, which cannot be read. Run with --allow-env=${name}`, {
      code: "invalid_model_config",
      cause,
    });
  }
  if (value !== undefined) return value;
  throw new ChatModelError(`${action}, which is not set`, { code: "invalid_model_config" });
}

function merge(below: ModelConfigValues, above: ModelConfigValues): ModelConfigValues {
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const replaced = merged.get(key);
    merged.set(key, isObject(replaced) && isObject(value) ? merge(replaced, value) : value);
  }
  return Object.fromEntries(merged);
}

function compare(
  logged: ModelConfigValues,
  layer: { readonly source: ModelConfigSource; readonly values: ModelConfigValues },
  path: string,
  issues: ValidationIssue[],
): void {
  for (const [key, value] of Object.entries(layer.values)) {
    const here = path === "" ? key : `${path}.${key}`;
    const known = Object.hasOwn(logged, key) ? logged[key] : undefined;
    if (known === undefined) {
      issues.push({
        path: here,
        message: `Unknown key, set by ${NAMES[layer.source]}: ${suggestion(key, Object.keys(logged))}`,
      });
    } else if (isObject(known) && isObject(value)) {
      compare(known, { source: layer.source, values: value }, here, issues);
    } else if (!fits(value, known)) {
      issues.push({
        path: here,
        message: `Expected ${typeName(known)} as logged, found ${typeName(value)}, set by ${NAMES[layer.source]}`,
      });
    }
  }
}

const NAMES: { readonly [source in ModelConfigSource]: string } = {
  logged: "what was logged",
  file: "the file",
  env: "the environment",
  call: "the call",
};

/** Nothing is known of what a `null` stands for, and a reference may stand for any text. */
function fits(value: JsonValue, logged: JsonValue): boolean {
  return value === null || logged === null || typeName(value) === typeName(logged);
}

function typeName(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isObject(value: JsonValue | undefined): value is ModelConfigValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
