import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { ValidationError } from "../../../mod.ts";
import { renderReport } from "../../../evaluation/report/mod.ts";
import { escapeHtml } from "../../../evaluation/report/_html.ts";
import { resultOf, row, score } from "./_results.ts";

const DATE = new Date("2026-11-24T17:00:00Z");

/** Ids of the rows that are shown, in their order. */
function shownRows(report: string): readonly string[] {
  return [...report.matchAll(/<span class="row-id">([^<]*)<\/span>/g)].map(([, id = ""]) => id);
}

Deno.test("renderReport() shows the worst rows first: errors, then scores that do not pass, then low numbers", async () => {
  const failed = {
    message: "Cannot answer: gone",
    code: "upstream_lost",
    name: "UpstreamError",
    status: 502,
    retryable: true,
  };
  const result = await resultOf([
    row(0, { scores: { exact: score(true), f1: { value: 1 } } }),
    row(1, { scores: { exact: score(true), f1: { value: 0.2 } } }),
    row(2, { text: "Rome", scores: { exact: score(false), f1: { value: 0 } } }),
    row(3, { state: "ERROR", error: failed, text: "", scores: { exact: score(false) } }),
    row(4, { scores: { exact: { value: null, error: { ...failed, message: "Cannot score: no" } }, f1: { value: 1 } } }),
  ]);
  const report = await renderReport(result, { date: DATE });
  assertEquals(shownRows(report), ["row-3", "row-2", "row-4", "row-1", "row-0"]);
  assertStringIncludes(report, "Cannot answer: gone");
  assertStringIncludes(report, "Cannot score: no");
  assertStringIncludes(report, "<b>3</b><span>rows with something wrong</span>");
  assertStringIncludes(report, "2026-11-24 17:00 UTC");
});

Deno.test("renderReport() is the same for the same evaluation", async () => {
  const result = await resultOf([row(0), row(1, { text: "Rome" })]);
  assertEquals(await renderReport(result, { date: DATE }), await renderReport(result, { date: DATE }));
});

Deno.test("renderReport() shows what differs from the expectation", async () => {
  const report = await renderReport(await resultOf([row(0, { expected: "It is in Paris", text: "It is in Rome" })]));
  assertStringIncludes(report, "It is in <del>Paris</del><ins>Rome</ins>");
});

Deno.test("renderReport() leaves out rows beyond its limit and says how many", async () => {
  const rows = Array.from({ length: 30 }, (_, index) => row(index, { text: index % 2 === 0 ? "Paris" : "Rome" }));
  const report = await renderReport(await resultOf(rows), { maxRows: 4 });
  assertEquals(shownRows(report), ["row-1", "row-3", "row-5", "row-7"]);
  assertStringIncludes(report, "4 of 30 rows; 26 are left out");
});

Deno.test("renderReport() cuts long texts and says by how much", async () => {
  const report = await renderReport(await resultOf([row(0, { text: "ab".repeat(500) })]), { maxTextLength: 100 });
  assertStringIncludes(report, `${"ab".repeat(50)}… (900 more characters are left out)`);
  assert(!report.includes("ab".repeat(51)));
});

Deno.test("renderReport() stays small with 10,000 rows of long texts", async () => {
  const rows = Array.from({ length: 10_000 }, (_, index) =>
    row(index, {
      text: `${index} `.repeat(3_000),
      scores: { exact: score(index % 3 === 0), size: { value: index }, word: { value: `w${index}` } },
      latency: index,
    }));
  const report = await renderReport(await resultOf(rows));
  assert(report.length < 2_000_000, `It has ${report.length} characters`);
  assertStringIncludes(report, "50 of 10,000 rows; 9,950 are left out");
  assertStringIncludes(report, "(others)");
});

Deno.test("renderReport() compares with a baseline, score by score and row by row", async () => {
  const before = await resultOf([row(0, { text: "Rome" }), row(1), row(2, { text: "Oslo" })], {
    model: { name: "old" },
  });
  const after = await resultOf([row(0), row(1, { text: "Bonn" }), row(2)], { model: { name: "new" } });
  const report = await renderReport(after, { baseline: before });
  assertStringIncludes(report, "Against the baseline");
  assertStringIncludes(report, "Rows that changed. exact: 2 better, 1 worse");
  assertEquals(shownRows(report)[0], "row-1");
  assertStringIncludes(report, "▼ worse than baseline");
  assertStringIncludes(report, "▲ better than baseline");
  assertStringIncludes(report, "<dt>Baseline</dt><dd>old</dd>");
  const other = await resultOf([row(0, { id: "other" })]);
  await assertRejects(() => renderReport(after, { baseline: other }), ValidationError, "no row in common");
});

Deno.test("renderReport() shows conversations, tool calls and what a function was asked", async () => {
  const call = { id: "call_1", type: "function" as const, function: { name: "add", arguments: '{"a":1}' } };
  const report = await renderReport(
    await resultOf([
      row(0, {
        conversation: [
          { role: "user", content: "First question" },
          { role: "assistant", content: "First answer" },
          { role: "user", content: [{ type: "text", text: "Second question" }] },
        ],
        output: { choices: [{ message: { role: "assistant", content: "x", tool_calls: [call] } }] },
      }),
      row(1, { inputs: { messages: ["no messages"], city: "Paris" } }),
      row(2, { output: { messages: [{ role: "user", content: "Held before" }] }, text: "no answer" }),
    ]),
  );
  for (
    const text of [
      "First question",
      "First answer",
      "Second question",
      "no messages",
      "Held before",
      "Tool calls",
      "&quot;add&quot;",
    ]
  ) {
    assertStringIncludes(report, text);
  }
  assert(!report.includes('<pre dir="auto">no answer</pre>'));
});

Deno.test("renderReport() takes evaluations without scores, without times and without rows to show", async () => {
  const { latency: _, ...untimed } = row(0, { scores: {} });
  const report = await renderReport(await resultOf([untimed]), { maxRows: 0 });
  assertEquals(shownRows(report), []);
  assert(!report.includes('id="times"') && !report.includes('id="distributions"'));
});

Deno.test("renderReport() draws scores that all have one value, and very large and small ones", async () => {
  for (const values of [[5, 5], [0, 1e-9], [-1e12, 1e12], Array.from({ length: 40 }, (_, i) => 0.1 * i)]) {
    const rows = values.map((value, index) => row(index, { scores: { size: { value } }, latency: 0 }));
    const report = await renderReport(await resultOf(rows));
    assertStringIncludes(report, "Distribution of size");
    assert(!/NaN|Infinity/.test(report));
  }
});

Deno.test("renderReport() has a policy that forbids everything but its own style", async () => {
  const report = await renderReport(await resultOf([row(0)]));
  const [, policy = ""] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(report) ?? [];
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(report) ?? [];
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style)));
  assertEquals(
    policy,
    `default-src 'none'; style-src 'sha256-${digest.toBase64()}'; base-uri 'none'; form-action 'none'`,
  );
  assert(!/<script|<link|<iframe|\son[a-z]+=|style=|src=|@import|url\(/i.test(report), "Something that runs or loads");
  assert(!/(?:href|action)=/i.test(report.replaceAll(/<svg[^>]*>/g, "")));
});

Deno.test("renderReport() refuses options that are not valid, with all that is wrong", async () => {
  const result = await resultOf([row(0)]);
  const error = await assertRejects(
    () => renderReport(result, { maxRows: 1001, maxTextLength: 5, date: new Date(NaN) }),
    ValidationError,
  );
  assertEquals(error.issues.map(({ path }) => path), ["maxRows", "maxTextLength", "date"]);
});

Deno.test("escapeHtml() lets no text out of an element or an attribute", () => {
  assertEquals(escapeHtml(`<a href='x' title="y">&`), "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;");
  assertEquals(escapeHtml("a\u202eb\u0000c\ud800"), "a[U+202E]b\ufffdc\ufffd");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const escaped = escapeHtml(text);
    return !/[<>"']/.test(escaped) && !/&(?!(?:amp|lt|gt|quot|#39);)/.test(escaped) && escaped.isWellFormed();
  }));
});
