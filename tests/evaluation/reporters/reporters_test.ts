import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { ChatModel } from "../../../chat_model.ts";
import {
  checkGate,
  compareEvaluations,
  evaluate,
  type EvaluationResult,
  exactMatch,
  jsonReport,
  junitReport,
  parseGate,
} from "../../../evaluation/mod.ts";
import { type Element, readXml } from "./_read_xml.ts";

class Echo extends ChatModel {
  override predict(_context: unknown, messages: readonly { readonly content?: unknown }[]): string {
    const text = String(messages.at(-1)?.content);
    if (text === "boom") throw new Error("Cannot <answer> & go on");
    return text;
  }
}

async function evaluated(texts: readonly string[], expected = "right"): Promise<EvaluationResult> {
  return await evaluate({
    model: Echo,
    data: texts.map((text, index) => ({
      id: `row ${index}`,
      inputs: text,
      expectations: { expected_response: expected },
      ...(index === 0 && { tags: { topic: "<first>" } }),
    })),
    scorers: [
      exactMatch(),
      { name: "length", score: ({ text }) => text.length },
      {
        name: "fussy",
        score: ({ text }) => {
          if (text === "wrong") throw new Error('It does not like "wrong"');
          return text === "" ? null : { value: 3, passed: false, rationale: `Because of ${text}` };
        },
      },
    ],
    retries: 0,
  });
}

async function report(evaluation: Parameters<typeof junitReport>[0]): Promise<Element> {
  return readXml((await Array.fromAsync(junitReport(evaluation))).join(""));
}

function counts({ attributes: { name, tests, failures, errors, skipped } }: Element): readonly unknown[] {
  return [name, tests, failures, errors, skipped];
}

Deno.test("junitReport() has a suite for the answers, for each score, and for the gate", async () => {
  const candidate = await evaluated(["right", "wrong", "boom", ""]);
  const gate = checkGate(parseGate("exact_match>=0.25, length<0"), { candidate });
  const root = await report({ candidate, gate });
  assertEquals(counts(root), ["Echo on dataset", "18", "5", "2", "3"]);
  assertEquals(root.children.map(counts), [
    ["gate", "2", "1", "0", "0"],
    ["answers", "4", "0", "1", "0"],
    ["exact_match", "4", "3", "0", "0"],
    ["length", "4", "0", "0", "1"],
    ["fussy", "4", "1", "1", "2"],
  ]);
  for (const suite of root.children) {
    const kinds = suite.children.map(({ children: [child] }) => child?.name);
    assertEquals(counts(suite).slice(1), [
      ...[kinds.length, ...["failure", "error", "skipped"].map((kind) => kinds.filter((name) => name === kind).length)]
        .map(String),
    ]);
  }
  const [conditions, answers, exact, , fussy] = root.children;
  assertEquals(conditions?.children.map(({ attributes }) => attributes.name), ["exact_match>=0.25", "length<0"]);
  assertEquals(
    answers?.children[2]?.children[0]?.attributes.message,
    "Cannot answer: the model failed: Cannot <answer> & go on",
  );
  assertEquals(exact?.children[1]?.children[0]?.attributes.message, "exact_match is false");
  assertEquals(exact?.children[1]?.children[0]?.text, "Expected: right\nAnswered: wrong");
  assertEquals(fussy?.children[0]?.children[0]?.attributes.message, "fussy is 3: Because of right");
  assertStringIncludes(fussy?.children[0]?.children[0]?.text ?? "", 'Tags: {"topic":"<first>"}');
  assertStringIncludes(fussy?.children[1]?.children[0]?.attributes.message ?? "", 'It does not like "wrong"');
  // Seconds, where the time was measured.
  const times = answers?.children.map(({ attributes }) => /^\d+\.\d{6}$/.test(attributes.time ?? ""));
  assertEquals(times, [true, true, false, true]);
});

Deno.test("junitReport() is XML whatever was asked, answered and expected", async () => {
  const texts = [
    "<a href='&amp;'>]]></a>",
    "\0\x01\x08\x1b[31m\x7f",
    "\ud800 half",
    "a\r\nb\tc\r",
    "\ufffe\uffff",
    "😀",
  ];
  const property = fc.asyncProperty(
    fc.oneof(fc.constantFrom(...texts), fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })),
    async (text) => {
      const root = await report({ candidate: await evaluated([text, "x"], `${text} no`) });
      // deno-lint-ignore no-control-regex -- what XML cannot write
      const shown = text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
      const fault = root.children[1]?.children[0]?.children[0];
      assertEquals(fault?.text, `Expected: ${shown} no\nAnswered: ${shown}\nTags: {"topic":"<first>"}`);
    },
  );
  await fc.assert(property, { numRuns: 30 });
  for (const text of texts) await report({ candidate: await evaluated([text]) });
});

Deno.test("junitReport() shortens long answers", async () => {
  const root = await report({ candidate: await evaluated(["x".repeat(5000)]) });
  const text = root.children[1]?.children[0]?.children[0]?.text ?? "";
  assertStringIncludes(text, `Answered: ${"x".repeat(2000)}…\n`);
});

Deno.test("jsonReport() is plain JSON of all but the rows", async () => {
  const [candidate, baseline] = [await evaluated(["right", "wrong"]), await evaluated(["secret", "wrong"])];
  const comparison = compareEvaluations({ baseline, candidate });
  const gate = checkGate(parseGate("exact_match>baseline"), { candidate, baseline, comparison });
  const json = JSON.parse(JSON.stringify(jsonReport({ candidate, baseline, comparison, gate })));
  assertEquals(Object.keys(json), ["candidate", "baseline", "comparison", "gate"]);
  assertEquals(json.candidate.metrics["exact_match/mean"], 0.5);
  assertEquals(json.baseline.metrics["exact_match/mean"], 0);
  assertEquals(json.comparison.scores.exact_match.improved, [{ id: "row 0", baseline: 0, candidate: 1 }]);
  assertEquals(json.gate.conditions[0].limit, 0);
  assertEquals(JSON.stringify(json).includes("secret"), false);
  assertEquals(Object.keys(jsonReport({ candidate })), ["candidate"]);
});
