import { LoadedCustomModel } from "../loaded_custom_model.ts";
import { ValidationError } from "../types/mod.ts";
import { modelNotFound } from "./_chat_completions.ts";
import { admit, type AdmitOptions, type Asking, checkAccess } from "./_admit.ts";
import type { LoadedModel, ModelDirectory } from "./directory.ts";
import type { RequestScope } from "./_request_scope.ts";
import { type AnswerHeaders, jsonResponse } from "./_respond.ts";

type JsonObject = { readonly [name: string]: unknown };

/** Members by which MLflow's scoring server takes a body for the model's input itself. */
const LLM_KEYS = ["messages", "prompt", "input"];

/** MLflow's ways to wrap the input, of which exactly one is to be used else. */
const WRAPPERS = ["dataframe_split", "dataframe_records", "instances", "inputs"];

/**
 * The custom model that a body of `POST /invocations` is for, by its `model`; `undefined` if it is for a chat model.
 *
 * @throws {ModelNotFoundError} If there is no model of that name.
 */
export async function findCustomModel(
  body: unknown,
  asking: Asking,
  { directory, admission }: AdmitOptions,
): Promise<LoadedCustomModel | undefined> {
  const name = nameIn(body);
  if (name !== undefined) await checkAccess(name, asking.scope, directory);
  const model = name === undefined ? await findWrapped(body, directory) : await directory.find(name);
  if (model === undefined && name !== undefined) throw modelNotFound(name);
  if (!LoadedCustomModel.isInstance(model)) return undefined;
  // It is named within its input, or is the default.
  if (name === undefined) await checkAccess(model.name, asking.scope, directory);
  return await admit(model, () => 0, asking, admission);
}

/** A wrapped input names a model only if there is one: a custom model may have another use for a `model` there. */
async function findWrapped(body: unknown, directory: ModelDirectory): Promise<LoadedModel | undefined> {
  const name = isObject(body) ? nameInWrapped(body) : undefined;
  const named = name === undefined ? undefined : await directory.find(name);
  return named ?? await directory.find(undefined);
}

/** Of several inputs, each could name another. */
function nameInWrapped(body: JsonObject): string | undefined {
  const [key] = WRAPPERS.filter((key) => key in body);
  if (key === undefined) return undefined;
  const value = body[key];
  if (key === "dataframe_split") return nameInTable(value);
  return Array.isArray(value) ? value.length === 1 ? nameIn(value[0]) : undefined : nameIn(value);
}

function nameInTable(value: unknown): string | undefined {
  if (!isObject(value) || !Array.isArray(value["columns"]) || !Array.isArray(value["data"])) return undefined;
  const [row, second]: readonly unknown[] = value["data"];
  const at = value["columns"].indexOf("model");
  return at !== -1 && second === undefined && Array.isArray(row) ? nameIn({ model: row[at] }) : undefined;
}

function nameIn(value: unknown): string | undefined {
  return isObject(value) && typeof value["model"] === "string" ? value["model"] : undefined;
}

/**
 * `POST /invocations` of a custom model, as `mlflow models serve` has it: the answer bare where the input was, else
 * under `predictions`.
 */
export async function customInvocations(
  model: LoadedCustomModel,
  body: unknown,
  scope: RequestScope,
  headers: AnswerHeaders,
): Promise<Response> {
  const { input, params, wrapped } = unwrap(model, body);
  const answer = await model.predict(input, params, scope);
  return jsonResponse(JSON.stringify(wrapped ? { predictions: answer } : answer), 200, headers);
}

interface Unwrapped {
  readonly input: unknown;
  readonly params: JsonObject;
  readonly wrapped: boolean;
}

function unwrap(model: LoadedCustomModel, body: unknown): Unwrapped {
  if (!isObject(body)) throw invalidInput("", `must be a JSON object with one of ${WRAPPERS.join(", ")}`);
  if (LLM_KEYS.some((key) => key in body)) return { ...splitParams(model, body), wrapped: false };
  const [key, second] = WRAPPERS.filter((key) => key in body);
  if (key === undefined) {
    throw invalidInput("inputs", `is missing. Send one of ${WRAPPERS.join(", ")}, or one of ${LLM_KEYS.join(", ")}`);
  }
  if (second !== undefined) throw invalidInput(second, `must not stand beside "${key}". Send one of them`);
  const { params = {} } = body;
  if (params !== null && !isObject(params)) {
    // No fault of the body's form, to MLflow.
    throw new ValidationError("Cannot parse input", [{ path: "params", message: "must be an object" }]);
  }
  return { input: readWrapped(key, body[key]), params: params ?? {}, wrapped: true };
}

/** At the top, params stand among the members of the input: those of the signature's names are params. */
function splitParams(
  model: LoadedCustomModel,
  body: JsonObject,
): { readonly input: JsonObject; readonly params: JsonObject } {
  const isParam = ([name]: [string, unknown]) => model.paramNames.includes(name);
  const members = Object.entries(body);
  return {
    input: Object.fromEntries(members.filter((member) => !isParam(member))),
    params: Object.fromEntries(members.filter(isParam)),
  };
}

function readWrapped(key: string, value: unknown): unknown {
  if (key === "inputs") return value;
  if (key === "dataframe_split") return oneOrAll(readRows(value));
  if (!Array.isArray(value)) throw invalidInput(key, "must be an array");
  return key === "dataframe_records" ? oneOrAll(value) : value;
}

/** A table of one row is one input. */
function oneOrAll(rows: readonly unknown[]): unknown {
  return rows.length === 1 ? rows[0] : rows;
}

function readRows(value: unknown): JsonObject[] {
  if (!isObject(value) || !Array.isArray(value["columns"]) || !Array.isArray(value["data"])) {
    throw invalidInput("dataframe_split", 'must be {"columns": […], "data": [[…]]}');
  }
  const columns = value["columns"].map(String);
  return value["data"].map((row: unknown, i: number): JsonObject => {
    if (!Array.isArray(row) || row.length !== columns.length) {
      throw invalidInput(`dataframe_split.data.${i}`, `must be an array of ${columns.length} values, one a column`);
    }
    return Object.fromEntries(columns.map((column: string, at: number) => [column, row[at]]));
  });
}

function invalidInput(path: string, message: string): ValidationError {
  return new ValidationError("Cannot parse input", [{ path, message }], { code: "invalid_input" });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
