/** From the body of `POST /v1/responses` to a request that is known to be right. */
import * as v from "valibot";
import { sortFields } from "../../types/_params_schema.ts";
import { freeForm, type JsonObject } from "../../types/_schema.ts";
import { ValidationError } from "../../types/mod.ts";
import { checkMetadata } from "../_metadata.ts";
import { REQUEST_NAMES, type RequestFields, responseRequest } from "./_request_schema.ts";

/** A request that has passed validation: the fields that are known, without those that were `null`, and the others. */
export interface ResponseRequest extends RequestFields {
  /** Fields that are not known here, untouched. */
  readonly extra?: JsonObject;
}

/**
 * Checks the body of a request.
 *
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 */
export function parseResponseRequest(body: unknown): ResponseRequest {
  const { known, extra } = sortFields(parse(freeForm, body), REQUEST_NAMES);
  const fields = parse(responseRequest, known);
  checkMetadata(fields.metadata, "Cannot parse response request");
  return extra === undefined ? fields : { ...fields, extra };
}

function parse<const Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  throw new ValidationError(
    "Cannot parse response request",
    result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message })),
  );
}
