/**
 * A JSON Schema (any draft), kept exactly as the caller wrote it.
 *
 * Keywords are not interpreted and none is dropped here. Only of a function's parameters is what no one could read as
 * JSON Schema refused, such as a `type` that there is not.
 */
export type JsonSchema = { readonly [keyword: string]: unknown };
