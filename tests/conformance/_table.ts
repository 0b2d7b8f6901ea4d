/** Writes `docs/conformance.md` from the tests' own data: `deno run --allow-read --allow-write tests/conformance/_table.ts`. */
import { CASES, GROUPS } from "./_all.ts";
import { casesOf, type Verdict } from "./_case.ts";
import { NOT_POSABLE } from "./_language.ts";
import { type Reason, REASONS, type ReasonText } from "./_reasons.ts";
import { VECTORS } from "./_vectors.ts";

/** Where the table is kept. */
export const DOCUMENT: URL = new URL("../../docs/conformance.md", import.meta.url);

const VERDICTS: readonly Verdict[] = ["same", "more", "different", "language", "open"];

function introduction(): string {
  return `<!-- deno-fmt-ignore-file -->

# Conformance with MLflow's ChatModel

${summary()}

## How it is compared

MLflow 3.17.2's classes, its loaded models and its \`save_model\` were given ${VECTORS.length} inputs, and what came of each was recorded
(\`tests/testdata/mlflow/vectors.json\`). Each is a test here (\`tests/conformance\`): the same input goes to what stands
in for it in this package, and the outcomes are compared in meaning: accepted or refused; the value; the field at fault.
Where MLflow's error names no field, the test names the one that the vector is about, or, where none is, what our message
says. Ids and times that are new on every run count as equal.

- **same**: the same outcome. What MLflow's classes set by themselves where the caller said nothing (temperature 1.0,
  \`type: "function"\`, …) is left out of the comparison; the vectors that are about it count as different.
- **more**: MLflow's value, and with it fields that MLflow drops. Strictly, not the same.
- **different**: on purpose. The test states both outcomes, so that a change of either shows.
- **language**: MLflow tells apart what is one and the same in JavaScript: the question cannot be posed. Tested like a
  difference. Which these are is a list of its own in the tests: no other vector can become one by its reason.
- **open**: we differ, and should not.

This page is written by \`deno run --allow-read --allow-write tests/conformance/_table.ts\`.
`;
}

const LANGUAGE = `These can never be the same, whatever this package does, as what they ask is not there in JavaScript:

- **kinds of numbers**: \`2\` and \`2.0\` are one value, in JavaScript and after \`JSON.parse\`. To refuse one is to refuse
  the other, and MLflow's refusal of whole temperatures would come back with it.
- **keys that are integers**: \`{ 1: "a" }\` has the key \`"1"\`.
- **classes**: a message, a tool call and an answer are their members. Where MLflow tells its own instances from
  dictionaries, there is one and the same object here.
- **names of a method's parameters**: they are not known where it is called, and arguments that it does not name are no
  error.
`;

/** The page. */
export function renderDocument(): string {
  const sections = [introduction(), "## Counts\n", counts()];
  const titles: readonly (readonly [Verdict, string])[] = [
    ["different", "Different on purpose"],
    ["more", "The same, and more"],
    ["language", "What JavaScript does not tell apart"],
    ["open", "Open"],
  ];
  for (const [verdict, title] of titles) {
    const table = reasons(verdict);
    if (table !== "") sections.push(`## ${title}\n`, ...(verdict === "language" ? [LANGUAGE] : []), table);
  }
  return sections.join("\n");
}

function summary(): string {
  const all = CASES.length;
  const of = (verdict: Verdict) => CASES.filter((one) => one.verdict === verdict).length;
  const percent = (number: number) => `${(number / all * 100).toFixed(1)} %`;
  const open = of("open") === 0 ? "" : `, and ${of("open")} differ that should not`;
  return `Of ${all} recorded inputs, ${of("same")} have the same outcome here as in MLflow, ${
    of("more")
  } have MLflow's value and more,
${of("different")} (${percent(of("different"))}) differ on purpose, and ${
    of("language")
  } ask what cannot be posed in JavaScript${open}.
Counted strictly, by whether the outcome is identical whatever the cause, ${all - of("same")} of ${all} (${
    percent(all - of("same"))
  }) are not.
The bound of 25 % is held by the ${of("different")} alone: with those that cannot be posed it would be ${
    percent(of("different") + of("language") + of("open"))
  }.`;
}

function counts(): string {
  const rows = GROUPS.map((group) => {
    const cases = casesOf(group);
    return [group.title, group.runs, ...tally(cases.map(({ verdict }) => verdict))];
  });
  const total = tally(CASES.map(({ verdict }) => verdict));
  return table(["kind", "what of ours is run", "vectors", ...VERDICTS], [...rows, ["**all**", "", ...total]]);
}

function tally(verdicts: readonly Verdict[]): string[] {
  const numbers = VERDICTS.map((verdict) => verdicts.filter((other) => other === verdict).length);
  return [verdicts.length, ...numbers].map(String);
}

function reasons(verdict: Verdict): string {
  const names = new Map<Reason, string[]>();
  for (const { difference, vector, verdict: own } of CASES) {
    if (difference === undefined || own !== verdict) continue;
    names.set(difference.reason, [...names.get(difference.reason) ?? [], code(vector.name)]);
  }
  if (names.size === 0) return "";
  if (verdict === "language") {
    const rows = Object.entries(NOT_POSABLE).map(([name, why]) => [code(name), why]);
    return table(["vector", "why it cannot be posed"], rows);
  }
  const rows = [...names].map(([reason, vectors]) => {
    const { text }: ReasonText = REASONS[reason];
    return [text, String(vectors.length), vectors.join(" · ")];
  });
  return table(["why", "n", "vectors"], rows);
}

function code(name: string): string {
  return `\`${name.replaceAll("|", "\\|")}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("");
}

if (import.meta.main) Deno.writeTextFileSync(DOCUMENT, renderDocument());
