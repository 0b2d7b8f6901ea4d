/** Text that is HTML already. */
export class Markup {
  /** The HTML. */
  readonly text: string;

  /**
   * Takes text for HTML.
   *
   * @param text HTML that was written here or by {@linkcode markup}, never anything that comes from outside.
   */
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: text is escaped, of lists all members, `undefined` is nothing. */
export type Insertion = string | number | Markup | undefined | readonly Insertion[];

const ESCAPES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What HTML has no place for (https://infra.spec.whatwg.org/#control), but for tabs and line breaks. */
// deno-lint-ignore no-control-regex -- they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;

/** What turns the order of letters around unseen: a text could read other than it is. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text as it can stand in HTML, in elements and in quoted attributes.
 *
 * @param text Any text.
 * @returns The text, with nothing in it that a browser takes for anything else.
 */
export function escapeHtml(text: string): string {
  return text.toWellFormed()
    .replace(CONTROLS, "\ufffd")
    .replace(TURNS, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`)
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

/** Template of HTML: whatever is put in is escaped, unless it is HTML already. */
export function markup(texts: TemplateStringsArray, ...insertions: readonly Insertion[]): Markup {
  return new Markup(texts.map((text, index) => text + render(insertions[index])).join(""));
}

function render(insertion: Insertion): string {
  if (insertion === undefined) return "";
  if (insertion instanceof Markup) return insertion.text;
  if (typeof insertion === "string") return escapeHtml(insertion);
  return typeof insertion === "number" ? String(insertion) : insertion.map(render).join("");
}
