import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import * as fc from "fast-check";
import { formatYaml, type YamlValue } from "../../models/_yaml.ts";

/** Text that YAML 1.1, YAML 1.2 or both take for something else where it stands bare. */
// deno-fmt-ignore
const NASTY = [
  "", " ", " x", "x ", "é", "😀", "\u2028", "\u0085", "\x7f", "\x00", "\ufeffx", "\uffff", "\t", "a\nb", "a\n", "\r\n",
  "3.10", "1e5", "1E5", "0x1f", "0o17", "017", "0b1", "1_000", ".5", "-.5", "+1", ".inf", "-.INF", ".nan", "NaN",
  "12:30:45", "190:20:30", "2026-11-24", "2026-11-24 10:00:00", "1".padEnd(31, "0") + "e1",
  "yes", "No", "on", "OFF", "y", "N", "true", "False", "null", "Null", "NULL", "~", "=", "<<",
  "- a", "-", "--- a", "---", "...", "a: b", "a:", ": a", "#", "a #b", "a#b", "? a", "?", "! a", "!x", "&a", "*a", "%a",
  "@a", "`a", "'a'", '"a"', "\\", "[a]", "{a}", "a, b", "|", ">", "http://127.0.0.1:8000/x?y#z", "__proto__",
];

Deno.test("formatYaml() writes keys in order, lists at their key's depth, and quotes where it must", () => {
  const written = formatYaml({
    b: { list: [1, "two", { z: null, a: "x" }, [true, []]], empty: [] },
    a: {},
    text: "plain text/path.ts",
    "3.10": "3.10",
    small: 1e-7,
    large: 1e21,
  });
  assertEquals(
    written,
    [
      '"3.10": "3.10"',
      "a: {}",
      "b:",
      "  empty: []",
      "  list:",
      "  - 1",
      "  - two",
      "  - a: x",
      "    z: null",
      "  - [true, []]",
      "large: 1.0e+21",
      "small: 1.0e-7",
      "text: plain text/path.ts",
      "",
    ].join("\n"),
  );
  assertEquals(formatYaml({}), "{}\n");
});

for (const text of NASTY) {
  Deno.test(`formatYaml() keeps the text ${JSON.stringify(text)} as key, value and item`, () => {
    const value = {
      key: text,
      [text]: 1,
      list: [text, [text], { [text]: text }],
      inside: { [text]: { [text]: text } },
    };
    const written = formatYaml(value);
    for (const schema of ["core", "json", "extended"] as const) {
      assertEquals(parse(written, { schema }), value);
    }
    // Of other control characters YAML knows nothing, and Python's reader refuses them.
    assertEquals(written.match(/[^\n\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd]/), null);
  });
}

Deno.test("formatYaml() writes bare what is harmless", () => {
  for (const text of ["model.ts", "jsr", "a b", "agent/v1/chat", "code", "x1e5", "/tmp/model-1_2", "Hello."]) {
    assertEquals(formatYaml({ a: text }), `a: ${text}\n`);
  }
});

const text = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: "binary" }));
// YAML has a negative zero, JSON's readers do not all.
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value || 0));
const { value: anyValue } = fc.letrec<{ value: YamlValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    text,
    number,
    fc.constantFrom(null, true, false),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4 }),
  ),
}));

Deno.test("formatYaml() writes what is read back the same", () => {
  fc.assert(fc.property(fc.dictionary(text, anyValue, { maxKeys: 4 }), (value) => {
    const written = formatYaml(value);
    assert(written.endsWith("\n"));
    assertEquals(parse(written, { schema: "core" }), { ...value });
  }));
});
