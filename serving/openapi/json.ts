/** What the document is made of. */

/** An object of the document. */
export type Json = { readonly [key: string]: unknown };

/** A reference to a named schema. */
export function ref(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}
