/** The document, and how its tests look into it. */
import { assert } from "@std/assert";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { OPENAPI_DOCUMENT } from "../../../serving/_openapi_document.ts";

/** An object of JSON. */
export type Json = { readonly [key: string]: unknown };

/** The document. */
export const document: Json = object(JSON.parse(OPENAPI_DOCUMENT));

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(document, "openapi");

/** A check by one of the document's schemas. */
export function schemaAt(pointer: string): ValidateFunction {
  const validate = ajv.getSchema(`openapi#${pointer}`);
  assert(validate, `The document has no schema at ${pointer}`);
  return validate;
}

/** Whether the document has a schema there. */
export function schemaExists(pointer: string): boolean {
  return at(...pointer.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))) !== undefined;
}

/** A check by a named schema. */
export function namedSchema(name: string): ValidateFunction {
  return schemaAt(`/components/schemas/${name}`);
}

/** What stands at a place of the document, references followed; `undefined` if there is nothing. */
export function at(...keys: readonly string[]): { readonly value: unknown; readonly pointer: string } | undefined {
  let value: unknown = document;
  let pointer = "";
  for (const key of keys) {
    value = member(value, key);
    if (value === undefined) return undefined;
    pointer += `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const reference = typeof value === "object" && value !== null && "$ref" in value ? value.$ref : undefined;
    if (typeof reference !== "string") continue;
    pointer = reference.slice(1);
    value = pointer.slice(1).split("/").reduce<unknown>(member, document);
  }
  return { value, pointer };
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

/** An object, or the test fails. */
export function object(value: unknown): Json {
  assert(typeof value === "object" && value !== null && !Array.isArray(value), "Expected an object");
  return { ...value };
}
