/** Something in a file that works only beside the author's other files or configuration. */
export interface CodeHint {
  /** Where it begins, in UTF-16 code units. */
  readonly offset: number;
  /** `import` of something that is known only while it runs, `import.meta.resolve`, or a file named beside the module. */
  readonly kind: "dynamic" | "resolve" | "file";
  /** Where what it is called with begins. */
  readonly argument: number;
  /** The literal that it is called with; absent if it is not one. */
  readonly literal?: string;
}

/**
 * Comments, literals and words. What is in comments and literals is skipped; a slash begins a regular expression
 * where a value may stand, which the token before decides.
 */
const TOKEN =
  /(?<space>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<string>"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')|(?<word>[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*)|(?<number>\d[\w.]*)|(?<other>[\s\S])/uy;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/uy;
const BEFORE_VALUE = new Set(
  "return typeof instanceof in of new delete void throw case do else yield await extends default".split(" "),
);

interface Token {
  readonly offset: number;
  readonly text: string;
  readonly kind: "string" | "template" | "word" | "other";
}

/**
 * Finds what packaging cannot see to: for warnings, so that a miss does no harm. No parser: a wrong guess at a slash
 * may hide or invent one of them.
 *
 * @param text The code.
 */
export function findCodeHints(text: string): CodeHint[] {
  const hints: CodeHint[] = [];
  const tokens = tokenize(text);
  const at = (index: number) => tokens[index]?.text;
  for (const [index, token] of tokens.entries()) {
    if (token.text === "import" && at(index - 1) !== ".") {
      if (at(index + 1) === "(") {
        const literal = literalOf(tokens[index + 2]);
        const closed = at(index + 3) === ")" || at(index + 3) === ",";
        const argument = tokens[index + 2]?.offset ?? token.offset;
        if (literal === undefined || !closed) hints.push({ offset: token.offset, kind: "dynamic", argument });
      } else if (at(index + 2) === "meta" && at(index + 4) === "resolve" && at(index + 5) === "(") {
        hints.push(hint(token, "resolve", tokens[index + 6]));
      }
    } else if (token.text === "URL" && at(index - 1) === "new" && at(index + 3) === "," && at(index + 4) === "import") {
      const file = hint(token, "file", tokens[index + 2]);
      if (file.literal !== undefined) hints.push(file);
    }
  }
  return hints;
}

function hint(token: Token, kind: CodeHint["kind"], argument: Token | undefined): CodeHint {
  const literal = literalOf(argument);
  const start = argument?.offset ?? token.offset;
  return { offset: token.offset, kind, argument: start, ...(literal !== undefined && { literal }) };
}

function literalOf(token: Token | undefined): string | undefined {
  if (token?.kind !== "string" && token?.kind !== "template") return undefined;
  if (token.kind === "template" && token.text.includes("${")) return undefined;
  return token.text.slice(1, -1);
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  /** For each `${` that is open: how many braces are open in it, and where its template began. */
  const templates: { braces: number; readonly start: number }[] = [];
  let position = 0;
  while (position < text.length) {
    const last = tokens.at(-1);
    const char = text[position];
    const open = templates.at(-1);
    if (char === "`" || (char === "}" && open?.braces === 0)) {
      const start = char === "`" ? position : templates.pop()?.start ?? position;
      const end = templateEnd(text, position + 1);
      position = end;
      if (text[end - 1] === "{") {
        templates.push({ braces: 0, start });
        tokens.push({ offset: start, text: "${", kind: "other" });
      } else tokens.push({ offset: start, text: text.slice(start, end), kind: "template" });
      continue;
    }
    if (char === "/" && mayBeginValue(last)) {
      REGEXP.lastIndex = position;
      if (!/^\/[/*]/.test(text.slice(position, position + 2)) && REGEXP.test(text)) {
        tokens.push({ offset: position, text: "/", kind: "string" });
        position = REGEXP.lastIndex;
        continue;
      }
    }
    TOKEN.lastIndex = position;
    const groups = TOKEN.exec(text)?.groups ?? {};
    const length = TOKEN.lastIndex - position;
    const token = text.slice(position, position + length);
    if (open !== undefined && token === "{") open.braces++;
    if (open !== undefined && token === "}") open.braces--;
    if (groups.string !== undefined) tokens.push({ offset: position, text: token, kind: "string" });
    else if (groups.word !== undefined || groups.number !== undefined) {
      tokens.push({ offset: position, text: token, kind: "word" });
    } else if (groups.other !== undefined) tokens.push({ offset: position, text: token, kind: "other" });
    position += Math.max(length, 1);
  }
  return tokens;
}

/** Where the text of a template ends: behind its backtick or behind the next `${`. */
function templateEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "`") return at + 1;
    else if (text[at] === "$" && text[at + 1] === "{") return at + 2;
  }
  return text.length;
}

function mayBeginValue(last: Token | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === "word") return BEFORE_VALUE.has(last.text);
  return last.kind === "other" && !")]}".includes(last.text);
}
