import * as v from "valibot";
import { ChatModelError } from "../types/mod.ts";
import type { ColumnSpec, ModelSignature, ParamSpec, SchemaType } from "./schema.ts";

const SCALARS = ["boolean", "integer", "long", "float", "double", "string", "binary", "datetime"] as const;

const scalar = v.object({ type: v.picklist([...SCALARS, "any"]) });

const typeSchema: v.GenericSchema<unknown, SchemaType> = v.lazy((value) => {
  const type: unknown = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  if (type === "array") return v.object({ type: v.literal("array"), items: typeSchema });
  if (type === "map") return v.object({ type: v.literal("map"), values: typeSchema });
  if (type === "object") return v.object({ type: v.literal("object"), properties });
  return scalar;
});

const field = v.intersect([typeSchema, v.object({ required: v.optional(v.boolean(), true) })]);
const properties = v.record(v.string(), field);

const columns = v.array(
  v.intersect([typeSchema, v.object({ name: v.exactOptional(v.string()), required: v.optional(v.boolean(), true) })]),
);

const params = v.array(v.object({
  name: v.string(),
  default: v.optional(v.unknown(), null),
  shape: v.optional(v.nullable(v.array(v.number())), null),
  type: v.picklist([...SCALARS, "object"]),
  properties: v.exactOptional(properties),
}));

/** A signature, read. */
export interface ReadSignature {
  /** What the model takes; `undefined` if that is not known, or nothing that can be checked here, such as a tensor. */
  readonly inputs: readonly ColumnSpec[] | undefined;
  /** Its params. */
  readonly params: readonly ParamSpec[];
}

/**
 * Reads a signature's JSON.
 *
 * @throws {ChatModelError} With code `invalid_signature` if the params are none of MLflow's.
 */
export function readSignature(signature: ModelSignature): ReadSignature {
  return {
    inputs: signature.inputs === null ? undefined : readColumns(signature.inputs),
    params: signature.params === null ? [] : readParams(signature.params),
  };
}

function readColumns(json: string): readonly ColumnSpec[] | undefined {
  const result = v.safeParse(columns, parseJson(json));
  // A tensor, or a type of a later MLflow: nothing that JSON could be checked against.
  return result.success ? result.output : undefined;
}

function readParams(json: string): readonly ParamSpec[] {
  const result = v.safeParse(params, parseJson(json));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ChatModelError(`Cannot read the model's params: "${v.getDotPath(issue) ?? ""}": ${issue.message}`, {
    code: "invalid_signature",
  });
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ChatModelError("Cannot read the model's signature: it is not valid JSON", {
      code: "invalid_signature",
      cause,
    });
  }
}
