/** What XML 1.0 (section 2.2) has no way to write, escaped or not. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

const ENTITIES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // Else an attribute's would become spaces, and a text's line end would be another one.
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/**
 * Text as it can stand in an attribute. What cannot stand in XML at all becomes U+FFFD.
 *
 * @param value The text.
 * @returns The text, escaped.
 */
export function escapeAttribute(value: string): string {
  return clean(value).replace(/[&<>"\t\n\r]/g, (character) => ENTITIES[character] ?? character);
}

/**
 * Text as it can stand in an element. What cannot stand in XML at all becomes U+FFFD.
 *
 * @param value The text.
 * @returns The text, escaped.
 */
export function escapeText(value: string): string {
  return clean(value).replace(/[&<>\r]/g, (character) => ENTITIES[character] ?? character);
}

function clean(value: string): string {
  return value.toWellFormed().replace(FORBIDDEN, "\ufffd");
}
