import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatSummary, renderReport } from "../../../evaluation/report/mod.ts";
import { compareEvaluations } from "../../../evaluation/results/mod.ts";
import { resultOf, row, score } from "./_results.ts";

Deno.test("formatSummary() sets columns under one another", async () => {
  const result = await resultOf([
    row(0, { scores: { exact: score(true), a_long_name: { value: 1234.5678 }, tone: { value: "warm" } } }),
    row(1, { scores: { exact: score(false), a_long_name: { value: 1 }, tone: { value: "cold" } } }),
  ]);
  assertEquals(formatSummary(result, { color: false }).split("\n"), [
    "model on data: 2 rows",
    "",
    "score         mean    p50    p95  pass rate          95 %  rows  errors",
    "exact          0.5      –      –        50%  9.5% – 90.5%     2       0",
    "a_long_name  617.8  617.8  1,173          –             –     2       0",
    "tone             –      –      –          –             –     2       0",
  ]);
});

Deno.test("formatSummary() compares with a baseline", async () => {
  const before = await resultOf([row(0, { text: "Rome" }), row(1), row(2)], { model: { name: "old" } });
  const after = await resultOf([row(0), row(1), row(2)], { model: { name: "new" } });
  const lines = formatSummary(after, { baseline: before, color: false }).split("\n");
  assertEquals(lines.slice(5, 7), ["Against old:", ""]);
  assertEquals(lines[7]?.split(/ {2,}/), [
    "score",
    "baseline",
    "now",
    "difference",
    "95 %",
    "better",
    "same",
    "worse",
    "verdict",
  ]);
  assertEquals(lines[8]?.split(/ {2,}/).filter((_, column) => column !== 4), [
    "exact",
    "0.6667",
    "1",
    "+0.333",
    "1",
    "2",
    "0",
    "undecided",
  ]);
});

Deno.test("formatSummary() and renderReport() take a comparison that was made before", async () => {
  const before = await resultOf([row(0, { text: "Rome" }), row(1)]);
  const after = await resultOf([row(0), row(1)]);
  const comparison = compareEvaluations({ baseline: before, candidate: after }, { tolerance: 5 });
  const options = { baseline: before, comparison };
  const counts = formatSummary(after, { ...options, color: false }).split("\n").at(-1)?.split(/ {2,}/).slice(5, 8);
  assertEquals(counts, ["0", "2", "0"]);
  assertStringIncludes(await renderReport(after, options), "exact: 0 better, 0 worse");
});

Deno.test("formatSummary() uses colours only if asked to, and keeps the columns", async () => {
  const error = { message: "Cannot score", code: null, name: "ChatModelError", status: 500, retryable: false };
  const result = await resultOf([row(0, { scores: { exact: { value: null, error } } })]);
  const plain = formatSummary(result, { color: false });
  const colored = formatSummary(result, { color: true });
  assert(!plain.includes("\x1b"));
  assertStringIncludes(colored, "\x1b[31m1\x1b[0m");
  // deno-lint-ignore no-control-regex -- what colours are made of
  assertEquals(colored.replaceAll(/\x1b\[\d+m/g, ""), plain);
});

Deno.test("formatSummary() respects NO_COLOR, also on a terminal", async () => {
  const code = `
    const { formatSummary } = await import("./evaluation/report/mod.ts");
    const { resultOf, row } = await import("./tests/evaluation/report/_results.ts");
    Object.defineProperty(Deno.stdout, "isTerminal", { value: () => true });
    console.log(JSON.stringify(formatSummary(await resultOf([row(0)]))));`;
  const run = async (env: { [name: string]: string }) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", code],
      cwd: new URL("../../../", import.meta.url),
      env: { FORCE_COLOR: "", ...env },
      stderr: "inherit",
    }).output();
    return new TextDecoder().decode(stdout).includes("\\u001b[");
  };
  assertEquals([await run({ NO_COLOR: "1" }), await run({ NO_COLOR: "" })], [false, true]);
});

Deno.test("formatSummary() lets no name steer the terminal", async () => {
  const result = await resultOf([row(0)], { model: { name: "\x1b[2Jevil\nname\u202e" } });
  assertEquals(formatSummary(result, { color: false }).split("\n")[0], "\ufffd[2Jevil\ufffdname\ufffd on data: 1 rows");
});
