import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { findCodeHints } from "../../models/_code_hints.ts";

function hints(text: string): string[] {
  return findCodeHints(text).map(({ kind, literal, offset }) => `${kind} ${literal ?? "-"} ${text.slice(offset)}`);
}

Deno.test("findCodeHints() finds imports of what is not one literal", () => {
  for (const argument of ["name", "`./${name}.ts`", '"./" + name', "get()", "`${a}${`${b}`}`"]) {
    assertEquals(hints(`x; import(${argument})`), [`dynamic - import(${argument})`]);
  }
  for (
    const text of [
      'import("./a.ts")',
      "import(`./a.ts`)",
      'import("./a.json", { with: { type: "json" } })',
      'import a from "a"; import.meta.url; import.meta.main',
      "store.import(name)",
      "// import(name)",
      "/* import(name) */ const a = 'import(name)';",
      "const a = `import(name)`, b = /import(name)[/]import(name)/u;",
    ]
  ) assertEquals(hints(text), []);
});

Deno.test("findCodeHints() finds import.meta.resolve and files named beside the module", () => {
  assertEquals(hints('import.meta.resolve("valibot")'), ['resolve valibot import.meta.resolve("valibot")']);
  assertEquals(hints("import.meta.resolve(name)"), ["resolve - import.meta.resolve(name)"]);
  assertEquals(hints('new URL("./p.txt", import.meta.url)'), ['file ./p.txt URL("./p.txt", import.meta.url)']);
  assertEquals(hints("new URL(name, import.meta.url); new URL('/a', base)"), []);
});

Deno.test("findCodeHints() keeps its way through templates, regular expressions and divisions", () => {
  const last = "import(name)";
  for (
    const before of [
      "`a${{ b: `}${c}` }.b}import(no)`;",
      "a / b / c;",
      "return /[/`]/.test(x);",
      "x = (a) / 2; y = b[0] / `1`;",
      "`\\`import(no)\\${`;",
      "const a = { b: { } };",
      "'it\\'s'; \"\\\"\";",
    ]
  ) assertEquals(hints(before + last), [`dynamic - ${last}`], before);
});

Deno.test("findCodeHints() ends whatever the text is", () => {
  const piece = fc.constantFrom(
    "`",
    "${",
    "}",
    "{",
    "/",
    "*",
    '"',
    "'",
    "\\",
    "import",
    "(",
    ")",
    ".",
    "meta",
    "\n",
    "a",
  );
  fc.assert(fc.property(fc.array(piece).map((parts) => parts.join("")), (text) => {
    for (const { offset } of findCodeHints(text)) assertEquals(offset < text.length, true);
  }));
});
