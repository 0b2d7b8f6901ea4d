import { extname } from "@std/path";
import { parse } from "@std/yaml";
import { ChatModelError } from "../types/mod.ts";
import { ModelConfig, type ModelConfigLayer, type ModelConfigValues } from "../model_config.ts";
import { toJsonValue } from "../_json_value.ts";

/** MLflow's variable for a configuration at load, in JSON; the second is set by its scoring server. */
const VARIABLES = ["SERVING_MODEL_CONFIG", "MLFLOW_PYFUNC_INFERENCE_CONFIG"];

/** What a configuration is put together from. */
export interface ConfigLayersOptions {
  /** What was logged with the model; absent for a model that was not logged. */
  readonly logged?: ModelConfigValues;
  /** Path of a YAML or JSON file. */
  readonly file?: string;
  /** What the caller says. */
  readonly call?: ModelConfigValues;
}

/**
 * The configuration of a model: logged, then a file's, then the environment's, then the caller's.
 *
 * Variables of the environment that may not be read are passed over. Where there is a configuration that they might
 * change, a warning says so, unless it was denied outright (`--deny-env`).
 *
 * @throws {ChatModelError} With code `invalid_model_config` if a layer cannot be read, or has keys that were not logged.
 */
export async function layeredConfig({ logged, file, call }: ConfigLayersOptions): Promise<ModelConfig> {
  const layers: ModelConfigLayer[] = [];
  if (logged !== undefined) layers.push({ source: "logged", values: logged });
  if (file !== undefined) layers.push({ source: "file", values: await readConfigFile(file) });
  const isConfigured = [...layers.map(({ values }) => values), call ?? {}].some((values) => !isEmpty(values));
  if (isConfigured) warnUnlessDecided();
  for (const variable of VARIABLES) {
    const text = readVariable(variable);
    if (text) layers.push({ source: "env", values: parseConfig(text, `the variable ${variable}`, JSON.parse) });
  }
  if (call !== undefined) layers.push({ source: "call", values: checkConfig(call, "modelConfig") });
  return layers.length === 0 ? new ModelConfig() : ModelConfig.from(layers);
}

/**
 * Reads a configuration from a file: JSON if it ends in `.json`, else YAML.
 *
 * @throws {ChatModelError} With code `invalid_model_config`.
 */
export async function readConfigFile(path: string): Promise<ModelConfigValues> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw invalidConfig(`file "${path}"`, why, cause);
  }
  return parseConfig(text, `file "${path}"`, extname(path) === ".json" ? JSON.parse : parse);
}

/**
 * Checks that a configuration is an object of JSON values, with their paths where it is not.
 *
 * @throws {ChatModelError} With code `invalid_model_config`.
 */
export function checkConfig(value: unknown, what: string): ModelConfigValues {
  const checked = toJsonValue(value, (path, problem) => {
    throw invalidConfig(what, `${path === "" ? "it" : `"${path}"`} ${problem}`);
  });
  if (typeof checked !== "object" || checked === null || Array.isArray(checked)) {
    throw invalidConfig(what, "it must be an object");
  }
  return Object.fromEntries(Object.entries(checked));
}

function parseConfig(text: string, what: string, parse: (text: string) => unknown): ModelConfigValues {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw invalidConfig(what, cause instanceof Error ? cause.message.split("\n", 1)[0] ?? "" : String(cause), cause);
  }
  // An empty file of YAML.
  return checkConfig(value ?? {}, what);
}

function isEmpty(values: ModelConfigValues): boolean {
  return Object.keys(values).length === 0;
}

let hasWarned = false;

/** Warns once where no one has said whether the variables may be read. */
function warnUnlessDecided(): void {
  const undecided = VARIABLES.filter((variable) =>
    Deno.permissions.querySync({ name: "env", variable }).state === "prompt"
  );
  if (undecided.length === 0 || hasWarned) return;
  hasWarned = true;
  const names = undecided.join(",");
  // deno-lint-ignore no-console -- what is passed over must be said.
  console.warn(
    `Not read, as permission is missing: ${undecided.join(" and ")}, which may change the model's configuration. ` +
      `Run with --allow-env=${names}, or go without by --deny-env=${names}`,
  );
}

function readVariable(variable: string): string | undefined {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted" ? Deno.env.get(variable) : undefined;
}

function invalidConfig(what: string, why: string, cause?: unknown): ChatModelError {
  return new ChatModelError(`Cannot read the model's configuration from ${what}: ${why}`, {
    code: "invalid_model_config",
    ...(cause !== undefined && { cause }),
  });
}
