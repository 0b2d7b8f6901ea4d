/**
 * A JSON Schema (any draft), kept exactly as the caller wrote it.
 *
 * Only its outer shape is checked (an object); keywords are neither interpreted nor dropped here.
 */
export type JsonSchema = { readonly [keyword: string]: unknown };
