import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ChatModel } from "../../../chat_model.ts";
import { checkGate, gateMetrics, parseGate, resolveMetric } from "../../../evaluation/gate/mod.ts";
import { compareEvaluations, evaluate, type EvaluationResult, exactMatch } from "../../../evaluation/mod.ts";
import { ValidationError } from "../../../types/mod.ts";

class Echo extends ChatModel {
  override predict(_context: unknown, messages: readonly { readonly content?: unknown }[]): string {
    return String(messages.at(-1)?.content);
  }
}

/** An evaluation of rows that are scored by their texts. */
async function evaluated(texts: readonly string[]): Promise<EvaluationResult> {
  return await evaluate({
    model: Echo,
    data: texts.map((text, index) => ({
      id: String(index),
      inputs: text,
      expectations: { expected_response: "a" },
    })),
    scorers: [
      exactMatch(),
      { name: "points", score: ({ text }) => text === "a" ? null : Number(text) },
      {
        name: "fussy",
        score: ({ text }) => {
          if (text === "a") throw new Error("no");
          return true;
        },
      },
      { name: "colour", score: () => "red" },
      { name: "never", score: () => null },
    ],
  });
}

function one(text: string) {
  const [condition, ...others] = parseGate(text);
  assert(condition !== undefined && others.length === 0);
  return condition;
}

Deno.test("parseGate() reads metrics, operators and limits", () => {
  const cases: readonly (readonly [string, string, string, object])[] = [
    ["exact_match>=0.8", "exact_match", ">=", { kind: "number", value: 0.8 }],
    [" latency/p95  <=  1.5e3 ", "latency/p95", "<=", { kind: "number", value: 1500 }],
    ["a b.c-d > -.5", "a b.c-d", ">", { kind: "number", value: -0.5 }],
    ["x<+1.", "x", "<", { kind: "number", value: 1 }],
    ["rows_failed == 0", "rows_failed", "==", { kind: "number", value: 0 }],
    ["x>=baseline", "x", ">=", { kind: "baseline", factor: 1, offset: 0 }],
    ["x <= 1.1 * baseline", "x", "<=", { kind: "baseline", factor: 1.1, offset: 0 }],
    ["x>=baseline - 0.02", "x", ">=", { kind: "baseline", factor: 1, offset: -0.02 }],
    ["x<2*baseline+1e1", "x", "<", { kind: "baseline", factor: 2, offset: 10 }],
    ["x.lower>=0", "x.lower", ">=", { kind: "number", value: 0 }],
  ];
  for (const [text, metric, operator, limit] of cases) {
    assertEquals<object>(one(text), { text: text.trim(), metric, operator, limit });
  }
  assertEquals(parseGate("a>1, b<2 ,c==3").map(({ metric }) => metric), ["a", "b", "c"]);
});

Deno.test("parseGate() refuses what it cannot read, and says all that is wrong", () => {
  const texts = [
    "",
    " ",
    "x",
    "x=1",
    "x=>1",
    ">=1",
    "x>=",
    "x>=0,8x",
    "x>=1e999",
    "x>=NaN",
    "x>=Infinity",
    "x!=1",
    "x>=80%",
  ];
  const limits = [
    "x>=baselines",
    "x>=2baseline",
    "x>=a*baseline",
    "x>=baseline*2",
    "x>=baseline--1",
    "x>=baseline+",
    "x>=1>2",
  ];
  for (const text of [...texts, ...limits, "x>=1,", "x>=1 and y>=2"]) {
    assertThrows(() => parseGate(text), ValidationError, "Cannot read gate");
  }
  const error = assertThrows(() => parseGate("a>1,b,c>=d"), ValidationError);
  assertEquals(error.issues.map(({ path }) => path), ["gate.1", "gate.2"]);
});

Deno.test("parseGate() gives back any condition that it is given, or refuses the text", () => {
  const operators = [">=", "<=", ">", "<", "=="];
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(fc.property(finite, fc.constantFrom(...operators), (value, operator) => {
    assertEquals(one(`some score/mean ${operator} ${value}`).limit, { kind: "number", value: Number(String(value)) });
  }));
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      parseGate(text);
    } catch (error) {
      assert(error instanceof ValidationError);
    }
  }));
});

Deno.test("resolveMetric() finds metrics by full and by short names, and says which there are", () => {
  const known = gateMetrics(["exact_match", "latency"], { hasBaseline: false });
  const find = (text: string, names: readonly string[] = known) => resolveMetric(one(`${text}>0`), names);
  assertEquals(find("exact_match"), "exact_match/mean");
  assertEquals(find("exact_match/pass_rate"), "exact_match/pass_rate");
  assertEquals(find("latency_p95"), "latency/p95");
  assertEquals(find("exact_match.lower"), "exact_match/pass_rate_low");
  assertEquals(find("exact_match.upper"), "exact_match/pass_rate_high");
  assertEquals(find("rows_failed"), "rows/failed");
  assertEquals(find("x", ["x/pass_rate"]), "x/pass_rate");
  const unknown = assertThrows(() => find("fluency"), ValidationError);
  for (const name of known) assertStringIncludes(unknown.message, name);
  assertThrows(() => find("latencyp95"), ValidationError, 'did you mean "latency/p95"?');
  // What only a comparison has.
  assertThrows(() => find("latency_difference"), ValidationError, "names no metric");
  // A score may be called as another's metric is.
  const both = gateMetrics(["latency", "latency_p95"], { hasBaseline: false });
  assertThrows(() => find("latency_p95", both), ValidationError, '"latency/p95" or "latency_p95/mean"');
  assertEquals(find("latency_p95/mean", both), "latency_p95/mean");
});

Deno.test("checkGate() compares with numbers, and holds only if all do", async () => {
  const candidate = await evaluated(["a", "a", "a", "a", "3"]);
  const held = (text: string) => checkGate(parseGate(text), { candidate });
  for (
    const text of ["exact_match>=0.8", "exact_match<=0.8", "exact_match==0.8", "exact_match>0.79", "exact_match<0.81"]
  ) {
    assertEquals(held(text).holds, true, text);
  }
  for (
    const text of ["exact_match>0.8", "exact_match<0.8", "exact_match>=0.81", "exact_match<=0.79", "exact_match==1"]
  ) {
    assertEquals(held(text).holds, false, text);
  }
  const { holds, conditions } = held("exact_match>=0.8, exact_match.lower>=0.8");
  assertEquals(holds, false);
  assertEquals(conditions.map((condition) => [condition.metric, condition.holds]), [
    ["exact_match/mean", true],
    ["exact_match/pass_rate_low", false],
  ]);
  assertEquals(held("exact_match>=0.9").conditions[0]?.reason, "exact_match/mean is 0.8, but it must be >= 0.9");
  // Where no one failed, none is logged.
  assertEquals(held("exact_match_errors==0, fussy_errors==4, rows_failed==0").holds, true);
});

Deno.test("checkGate() holds no condition on what has no value", async () => {
  const candidate = await evaluated(["a"]);
  for (const metric of ["points", "points_p95", "exact_match_p95", "never", "colour", "fussy"]) {
    for (const operator of [">=", "<=", ">", "<", "=="]) {
      const { holds, conditions: [condition] } = checkGate(parseGate(`${metric}${operator}0`), { candidate });
      assertEquals([holds, condition?.value, condition?.limit], [false, undefined, undefined]);
      assertStringIncludes(condition?.reason ?? "", "has no value");
    }
  }
  const baseline = await evaluated(["1"]);
  const turned = checkGate(parseGate("points<=baseline"), { candidate: baseline, baseline: candidate });
  assertEquals(turned.conditions[0]?.reason, "points/mean has no value in the baseline");
  assertEquals(turned.holds, false);
  assertThrows(() => checkGate(parseGate("nothing>0"), { candidate }), ValidationError, "points/mean");
});

Deno.test("checkGate() compares with the baseline, and takes rounding for equality", async () => {
  const [candidate, baseline] = [await evaluated(["0.3"]), await evaluated(["0.2"])];
  const held = (text: string) => checkGate(parseGate(text), { candidate, baseline }).holds;
  // 0.2 + 0.1 is 0.30000000000000004.
  assertEquals(held("points>=baseline+0.1"), true);
  assertEquals(held("points==baseline+0.1"), true);
  assertEquals(held("points<baseline+0.1"), false);
  assertEquals(held("points<=1.5*baseline"), true);
  assertEquals(held("points<=1.4*baseline"), false);
  assertEquals(held("points<=2*baseline-0.2"), false);
  assertThrows(() => checkGate(parseGate("points>=baseline"), { candidate }), ValidationError, "there is none");
});

Deno.test("checkGate() knows the differences between two evaluations", async () => {
  const [candidate, baseline] = [await evaluated(["3", "4"]), await evaluated(["1", "2"])];
  const comparison = compareEvaluations({ baseline, candidate });
  const held = (text: string) => checkGate(parseGate(text), { candidate, baseline, comparison }).holds;
  assertEquals(held("points_difference==2, points/difference_low>=2, points_difference_high<=2"), true);
  assertEquals(held("points_difference_low>2"), false);
});
