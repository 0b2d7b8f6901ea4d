import { pythonJson } from "./python_json.ts";

/** A scalar type of MLflow's schemas. */
export type ScalarType = "boolean" | "integer" | "long" | "float" | "double" | "string" | "binary" | "datetime";

/** What a value must be, in MLflow's grammar. */
export type SchemaType =
  | { readonly type: ScalarType | "any" }
  | { readonly type: "array"; readonly items: SchemaType }
  | {
    readonly type: "object";
    readonly properties: { readonly [name: string]: SchemaType & { readonly required: boolean } };
  }
  | { readonly type: "map"; readonly values: SchemaType };

/** One column of a schema: a field of an object, or, without a name, the whole value. */
export type ColumnSpec = SchemaType & { readonly name?: string; readonly required: boolean };

/** One parameter of a custom model. */
export interface ParamSpec {
  /** Name. */
  readonly name: string;
  /** Value where the caller gives none. */
  readonly default: unknown;
  /** `[-1]` for a list of any length, `null` for a single value. */
  readonly shape: readonly number[] | null;
  /** Type of the value, or of the list's items. */
  readonly type: ScalarType | "object";
  /** Members of an object. */
  readonly properties?: { readonly [name: string]: SchemaType & { readonly required: boolean } };
}

/** What a model takes and gives, as MLflow writes it into `MLmodel`: texts of JSON. */
export interface ModelSignature {
  /** What it takes: a JSON array of columns. */
  readonly inputs: string | null;
  /** What it gives: a JSON array of columns. */
  readonly outputs: string | null;
  /** Parameters besides the input: a JSON array of them. */
  readonly params: string | null;
}

type Fields = { readonly [name: string]: SchemaType & { readonly required: boolean } };

function required<const Type extends SchemaType>(type: Type): Type & { readonly required: true } {
  return { ...type, required: true };
}

function optional<const Type extends SchemaType>(type: Type): Type & { readonly required: false } {
  return { ...type, required: false };
}

/** MLflow sorts an object's properties, but not a schema's columns. */
function object(properties: Fields): SchemaType {
  const sorted = Object.entries(properties).toSorted(([one], [other]) => one < other ? -1 : 1);
  return { type: "object", properties: Object.fromEntries(sorted) };
}

function array(items: SchemaType): SchemaType {
  return { type: "array", items };
}

function column(name: string, type: SchemaType & { readonly required: boolean }): ColumnSpec {
  const { required, ...rest } = type;
  return { ...rest, name, required };
}

const text: SchemaType = { type: "string" };
const long: SchemaType = { type: "long" };
const double: SchemaType = { type: "double" };
const flag: SchemaType = { type: "boolean" };
const anyMap: SchemaType = { type: "map", values: { type: "any" } };

const message = object({
  content: optional(text),
  name: optional(text),
  refusal: optional(text),
  role: required(text),
  tool_call_id: optional(text),
  tool_calls: optional(array(object({
    function: required(object({ arguments: required(text), name: required(text) })),
    id: required(text),
    type: required(text),
  }))),
});

const tool = object({
  function: optional(object({
    description: optional(text),
    name: required(text),
    parameters: required(object({
      additionalProperties: optional(flag),
      properties: required({
        type: "map",
        values: object({
          description: optional(text),
          enum: optional(array(text)),
          items: optional(object({ type: required(text) })),
          type: required(text),
        }),
      }),
      required: optional(array(text)),
      type: optional(text),
    })),
    strict: optional(flag),
  })),
  type: required(text),
});

/** What every chat model takes, as `mlflow.pyfunc.ChatModel` says it. */
const CHAT_INPUTS: readonly ColumnSpec[] = [
  column("messages", required(array(message))),
  column("temperature", optional(double)),
  column("max_tokens", optional(long)),
  column("stop", optional(array(text))),
  column("n", optional(long)),
  column("stream", optional(flag)),
  column("top_p", optional(double)),
  column("top_k", optional(long)),
  column("frequency_penalty", optional(double)),
  column("presence_penalty", optional(double)),
  column("tools", optional(array(tool))),
  column("custom_inputs", optional(anyMap)),
];

/** What every chat model gives. */
const CHAT_OUTPUTS: readonly ColumnSpec[] = [
  column("id", required(text)),
  column("object", required(text)),
  column("created", required(long)),
  column("model", required(text)),
  column(
    "choices",
    required(array(object({
      finish_reason: required(text),
      index: required(long),
      message: required(message),
    }))),
  ),
  column(
    "usage",
    optional(object({
      completion_tokens: required(long),
      prompt_tokens: required(long),
      total_tokens: required(long),
    })),
  ),
  column("custom_outputs", optional(anyMap)),
];

/**
 * The signature of every chat model, byte for byte as MLflow 2.22 and 3.17 write it for `mlflow.pyfunc.ChatModel`.
 *
 * It is MLflow's, and narrower than what a chat model takes here: see `parseChatRequest`.
 */
export const CHAT_MODEL_SIGNATURE: ModelSignature = {
  inputs: schemaJson(CHAT_INPUTS),
  outputs: schemaJson(CHAT_OUTPUTS),
  params: null,
};

/** A schema as it stands in `MLmodel`. */
export function schemaJson(specs: readonly (ColumnSpec | ParamSpec)[]): string {
  return pythonJson(specs);
}
