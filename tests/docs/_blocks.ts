/** Code blocks of a page in Markdown, and what is said of them in remarks before them. */

/** A fenced code block. */
export interface Block {
  /** Its first word behind the fence, such as `ts`. */
  readonly language: string;
  /** The other words, such as `ignore`. */
  readonly attributes: readonly string[];
  /** What stands in it. */
  readonly code: string;
  /** Line of its fence, from 1. */
  readonly line: number;
  /** The remark directly before it, such as `file: model.ts` for `<!-- file: model.ts -->`; else empty. */
  readonly remark: string;
  /** Whether nothing but blank lines is between the block before and this one. */
  readonly follows: boolean;
}

/** All blocks of a page, in their order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  let before: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const [, fence, info = ""] = /^ *(`{3,})(.*)$/.exec(lines[i] ?? "") ?? [];
    if (fence === undefined) {
      if (lines[i]?.trim() !== "") before.push(lines[i] ?? "");
      continue;
    }
    const end = lines.findIndex((line, at) => at > i && line.trim() === fence);
    if (end === -1) throw new Error(`The block in line ${i + 1} has no end`);
    const [language = "", ...attributes] = info.trim().split(/[\s,]+/);
    const [, remark = ""] = /^ *<!-- (.*) -->$/.exec(before.at(-1) ?? "") ?? [];
    blocks.push({
      language,
      attributes,
      code: lines.slice(i + 1, end).join("\n"),
      line: i + 1,
      remark,
      follows: before.length === 0 && blocks.length > 0,
    });
    before = [];
    i = end;
  }
  return blocks;
}

/** The page without its blocks and without code between words, in which nothing is a link. */
export function proseOf(markdown: string): string {
  return markdown.replaceAll(/^ *(`{3,}).*\n[\s\S]*?^ *\1$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

/** The anchors that a page has, as GitHub makes them of its headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const text = markdown.replaceAll(/^ *(`{3,}).*\n[\s\S]*?^ *\1$/gm, "");
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.*)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").trim().toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, "").replaceAll(" ", "-");
    for (let i = 0;; i++) {
      const numbered = i === 0 ? anchor : `${anchor}-${i}`;
      if (anchors.has(numbered)) continue;
      anchors.add(numbered);
      break;
    }
  }
  for (const [, id = ""] of markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}
