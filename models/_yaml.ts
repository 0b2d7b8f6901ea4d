/** What goes into a YAML file here. */
export type YamlValue = null | boolean | number | string | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/** Text that no version of YAML takes for anything else. */
const PLAIN = /^[A-Za-z/](?:[\w./@^+ -]*[\w./@^+-])?$/;

/** Words that YAML 1.1, which Python reads, takes for truth values or nothing. */
const RESERVED = new Set(["true", "false", "yes", "no", "on", "off", "y", "n", "null"]);

/**
 * Writes YAML that both YAML 1.1 (PyYAML, so MLflow) and 1.2 read alike: whatever one of them could take for a number, a
 * time or a truth value is quoted. Keys are sorted, as MLflow has them.
 *
 * By hand, as writers for YAML 1.2 leave bare what 1.1 takes for something else: `12:30:45` is a number to Python.
 */
export function formatYaml(value: { readonly [key: string]: YamlValue }): string {
  return Object.keys(value).length === 0 ? "{}\n" : lines(value, "").join("\n") + "\n";
}

function lines(value: { readonly [key: string]: YamlValue }, indent: string): string[] {
  return Object.keys(value).toSorted().flatMap((key) => {
    const member = value[key] ?? null;
    const name = `${indent}${scalar(key)}:`;
    if (isList(member)) {
      return member.length === 0 ? [`${name} []`] : [name, ...member.flatMap((item) => itemLines(item, indent))];
    }
    if (typeof member !== "object" || member === null) return [`${name} ${scalar(member)}`];
    return Object.keys(member).length === 0 ? [`${name} {}`] : [name, ...lines(member, `${indent}  `)];
  });
}

function itemLines(item: YamlValue, indent: string): string[] {
  if (!isMap(item) || Object.keys(item).length === 0) return [`${indent}- ${flow(item)}`];
  const [first = "", ...rest] = lines(item, `${indent}  `);
  return [`${indent}- ${first.trimStart()}`, ...rest];
}

/** On one line, as lists in lists are written. */
function flow(value: YamlValue): string {
  if (isList(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return scalar(value);
  return `{${Object.keys(value).toSorted().map((key) => `${scalar(key)}: ${flow(value[key] ?? null)}`).join(", ")}}`;
}

function scalar(value: null | boolean | number | string): string {
  if (typeof value === "number") return String(value).replace(/^(-?\d+)e/, "$1.0e"); // To YAML 1.1, 1e-7 is text.
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !RESERVED.has(value.toLowerCase()) ? value : quote(value);
}

/** JSON's escapes are YAML's; what YAML does not allow bare, JSON leaves bare in part. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function isMap(value: YamlValue): value is { readonly [key: string]: YamlValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
