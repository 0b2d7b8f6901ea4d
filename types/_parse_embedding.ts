import * as v from "valibot";
import { EMBEDDING_NAMES, embeddingRequest } from "./_embedding_schema.ts";
import { sortFields } from "./_params_schema.ts";
import { freeForm } from "./_schema.ts";
import type { EmbeddingParams, EmbeddingRequest } from "./embedding.ts";
import { ValidationError } from "./errors.ts";

/** A request for vectors, divided the way a model takes it. */
export interface ParsedEmbeddingRequest {
  readonly input: readonly string[];
  readonly model: string | undefined;
  readonly encodingFormat: "float" | "base64";
  readonly params: EmbeddingParams;
}

/**
 * Checks a request for vectors.
 *
 * @param body What came over the wire.
 * @returns The request, without what was `null`; unknown fields are kept.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 */
export function checkEmbeddingRequest(body: unknown): EmbeddingRequest {
  const { known, extra } = sortFields(parse(freeForm, body), EMBEDDING_NAMES);
  return { ...extra, ...parse(embeddingRequest, known) };
}

/**
 * Checks a request for vectors and divides it.
 *
 * @param request The request.
 * @returns Its parts.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 */
export function parseEmbeddingRequest(request: unknown): ParsedEmbeddingRequest {
  const { known, extra } = sortFields(parse(freeForm, request), EMBEDDING_NAMES);
  const { input, model, encoding_format: encodingFormat = "float", ...own } = parse(embeddingRequest, known);
  const params = extra === undefined ? own : { ...own, extra };
  return { input: typeof input === "string" ? [input] : input, model, encodingFormat, params };
}

function parse<const Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  throw new ValidationError(
    "Cannot parse embedding request",
    result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message })),
  );
}
