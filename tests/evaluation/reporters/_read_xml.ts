/** A strict reader of the XML that reports are: it refuses whatever XML 1.0 does not allow in them. */
import { assert, assertEquals } from "@std/assert";

/** An element. */
export interface Element {
  readonly name: string;
  readonly attributes: { readonly [name: string]: string };
  readonly children: Element[];
  text: string;
}

const ENTITIES: { readonly [name: string]: string } = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Reads a document. */
export function readXml(document: string): Element {
  // deno-lint-ignore no-control-regex -- XML has no way to write these
  assert(!/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(document), "holds what XML cannot hold");
  assert(document.isWellFormed(), "holds half of a character");
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  assert(document.startsWith(declaration));
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open: Element[] = [root];
  const token = /<\/([\w-]+)>|<([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>|([^<]+)/y;
  for (token.lastIndex = declaration.length; token.lastIndex < document.length;) {
    const at = token.lastIndex;
    const match = token.exec(document);
    assert(match !== null, `is not well-formed at ${at}: ${document.slice(at, at + 80)}`);
    const [, closed, name, attributes = "", isEmpty, text] = match;
    const current = open.at(-1);
    assert(current !== undefined);
    if (closed !== undefined) assertEquals(open.pop()?.name, closed);
    else if (text !== undefined) current.text += decode(text);
    else {
      const pairs = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map((
        [, key = "", value = ""],
      ) => [key, decode(value)]);
      const element = { name: name ?? "", attributes: Object.fromEntries(pairs), children: [], text: "" };
      current.children.push(element);
      if (isEmpty === "") open.push(element);
    }
  }
  assertEquals([open.length, root.children.length], [1, 1]);
  const [only] = root.children;
  assert(only !== undefined);
  return only;
}

function decode(text: string): string {
  const plain = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  return plain.replace(/&(?:#(\d+)|(\w+));|&/g, (all, number, name) => {
    const character = number === undefined ? ENTITIES[name] : String.fromCodePoint(Number(number));
    assert(character !== undefined, `holds "${all}", which is not escaped`);
    return character;
  });
}
