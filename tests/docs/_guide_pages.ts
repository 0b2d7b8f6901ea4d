/**
 * What becomes of each code block of the guide. A page needs no marks for TypeScript (`deno test --doc` runs it), for
 * commands (run one after the other in a clone, with `sh`), and for what they print (a block of `text` or `json` right
 * behind them; `…` stands for anything). For the rest a remark in the line before a block says what it is:
 *
 * - `<!-- file: NAME -->`: written to the clone. TypeScript that only commands are to run is marked `ts ignore`, too.
 * - `<!-- serve -->`: a command that serves, until the page ends or the next one is started. Its port is any free one,
 *   and `http://127.0.0.1:8000` in the commands that follow leads there.
 * - `<!-- fails: 2 -->`: commands that are to end with this exit code; what they say of it is compared.
 * - `<!-- parse: parseChatRequest -->`: JSON that this function of `./types` takes.
 * - `<!-- not run -->`: left alone; its first line stands on the list in `guide_test.ts`, with the reason.
 *
 * `<!-- ollama: chat_stream, … -->` at the top of a page names what an Ollama answers, in this order for each of its
 * routes: recordings in `tests/testdata/ollama`. Without it, none is there.
 */

import { join } from "@std/path";
import { ROOT } from "../support/command.ts";
import { type Block, blocksOf } from "./_blocks.ts";

/** A page of the guide. */
export interface GuidePage {
  /** Its file's name. */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** What becomes of a block. */
export type Treatment =
  /** `deno test --doc` runs it. */
  | "doc-test"
  /** Written to the workplace, where a later block uses it. */
  | "file"
  /** Run in the workplace. */
  | "run"
  /** Started in the workplace, until the page ends or the next one is. */
  | "serve"
  /** Compared with what the block before has printed. */
  | "output"
  /** Parsed by the function that its remark names, or as JSON. */
  | "parse"
  /** No code: a drawing. */
  | "drawing"
  /** Not executed; must stand in the list of those. */
  | "left";

/** All pages, by name. */
export function readGuide(): GuidePage[] {
  const folder = join(ROOT, "docs", "guide");
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".md")).sort();
  return names.map((name) => {
    const text = Deno.readTextFileSync(join(folder, name));
    return { name, text, blocks: blocksOf(text) };
  });
}

/** What becomes of a page's blocks, in their order. */
export function treatmentsOf({ blocks }: GuidePage): Treatment[] {
  return blocks.map((block, place) => {
    const before = blocks[place - 1];
    const isAfterRun = block.follows && before?.language === "sh" && before.remark !== "not run";
    switch (block.language) {
      case "ts":
        if (!block.attributes.includes("ignore")) return "doc-test";
        return block.remark.startsWith("file: ") ? "file" : "left";
      case "sh":
        return block.remark === "not run" ? "left" : block.remark === "serve" ? "serve" : "run";
      case "json":
      case "text":
        if (block.remark.startsWith("file: ")) return "file";
        if (isAfterRun) return "output";
        return block.language === "json" ? "parse" : "drawing";
      default:
        return block.remark.startsWith("file: ") ? "file" : "left";
    }
  });
}

/** Name of the file that a block is; `undefined` if it is none. */
export function fileOf({ remark }: Block): string | undefined {
  return remark.startsWith("file: ") ? remark.slice("file: ".length) : undefined;
}

/** Whether what was printed is what a block says: `…` stands for anything. JSON is compared as such. */
export function isOutput(printed: string, { language, code }: Block): boolean {
  if (language === "json") return isJson(JSON.parse(printed), JSON.parse(code));
  return isText(printed.replaceAll(/ +$/gm, "").trimEnd(), code.trimEnd());
}

function isText(printed: string, expected: string): boolean {
  return new RegExp(`^${expected.split("…").map((text) => RegExp.escape(text)).join("[\\s\\S]*")}$`).test(printed);
}

/** A member `"…"` stands for all others. */
function isJson(found: unknown, expected: unknown): boolean {
  if (expected === "…") return found !== undefined;
  if (typeof expected === "string") return typeof found === "string" && isText(found, expected);
  if (typeof expected !== "object" || expected === null) return found === expected;
  if (typeof found !== "object" || found === null || Array.isArray(found) !== Array.isArray(expected)) return false;
  const names = Object.keys(expected).filter((name) => name !== "…");
  if (!Object.hasOwn(expected, "…") && Object.keys(found).length !== names.length) return false;
  return names.every((name) => isJson(Reflect.get(found, name), Reflect.get(expected, name)));
}

/** The recordings that a page's Ollama answers with: `<!-- ollama: chat_stream, … -->` in its first lines. */
export function recordingsOf({ text }: GuidePage): string[] {
  const [, names = ""] = /^<!-- ollama: (.*) -->$/m.exec(text) ?? [];
  return names.split(",").map((name) => name.trim()).filter((name) => name !== "");
}
