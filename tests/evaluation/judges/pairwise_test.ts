import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ValidationError } from "../../../mod.ts";
import { pairwiseJudge, positionBias } from "../../../evaluation/judges/mod.ts";
import { type Asked, rowOf, scoreOf, ScriptedJudge, verdict } from "./_judges.ts";

const EXPECTATIONS = { expected_response: "Paris" };

/** Prefers the longer answer, wherever it stands. */
function longer({ last }: Asked): string {
  const lengthOf = (name: string) => new RegExp(`<${name}-\\w+>\\n([^]*?)\\n</${name}-`).exec(last)?.[1]?.length ?? 0;
  const [a, b] = [lengthOf("answer_a"), lengthOf("answer_b")];
  return verdict(a === b ? "tie" : a > b ? "A" : "B");
}

Deno.test("pairwiseJudge() lets an answer win that wins in both orders", async () => {
  const model = new ScriptedJudge(longer);
  const scorer = pairwiseJudge({ model });
  const better = await scoreOf(scorer.score(rowOf("In Paris, France", { expectations: EXPECTATIONS })));
  const worse = await scoreOf(scorer.score(rowOf("Rome", { expectations: EXPECTATIONS })));
  const same = await scoreOf(scorer.score(rowOf("Texas", { expectations: EXPECTATIONS })));
  assertEquals([better.value, better.passed], [1, true]);
  assertEquals([worse.value, worse.passed], [0, false]);
  assertEquals([same.value, same.passed], [0.5, true]);
  assertEquals(better.metadata, { judge: "scripted", tries: 2, verdicts: ["A", "B"], consistent: true });
  assertStringIncludes(model.asked[1]?.last ?? "", "<inputs-");
});

Deno.test("pairwiseJudge() finds out a judge that prefers what it reads first", async () => {
  const scorer = pairwiseJudge({ model: new ScriptedJudge(verdict("A", "The first is better")) });
  const score = await scoreOf(scorer.score(rowOf("In Paris, France", { expectations: EXPECTATIONS })));
  assertEquals(score, {
    value: 0.5,
    passed: true,
    rationale: "The verdict changed with the order. First: The first is better\nSwapped: The first is better",
    metadata: { judge: "scripted", tries: 2, verdicts: ["A", "A"], consistent: false },
  });
});

Deno.test("pairwiseJudge() counts a win and a tie as no win", async () => {
  const scorer = pairwiseJudge({ model: new ScriptedJudge(verdict("A"), verdict("tie")) });
  const score = await scoreOf(scorer.score(rowOf("In Paris, France", { expectations: EXPECTATIONS })));
  assertEquals(score.value, 0.5);
});

Deno.test("pairwiseJudge() asks no one about the same answer, and has nothing to say without another", async () => {
  const model = new ScriptedJudge(verdict("B"));
  const scorer = pairwiseJudge({ model, against: ({ id }) => id === "row-0" ? "Paris" : undefined });
  assertEquals((await scoreOf(scorer.score(rowOf("Paris")))).value, 0.5);
  assertEquals(await scorer.score(rowOf("Paris", { id: "row-1" })), null);
  assertEquals(model.asked.length, 0);
});

Deno.test("pairwiseJudge() goes by instructions of one's own", async () => {
  const model = new ScriptedJudge(verdict("B"), verdict("A"));
  const scorer = pairwiseJudge({ model, name: "style", instructions: "Which is kinder?", against: () => "Dear" });
  assertEquals([scorer.name, (await scoreOf(scorer.score(rowOf("Go")))).value], ["style", 0]);
  assertStringIncludes(String(model.asked[0]?.messages[0]?.content), "Which is kinder?");
  assertThrows(() => pairwiseJudge({ model, instructions: "" }), ValidationError, '"instructions"');
});

Deno.test("positionBias() counts pairs whose verdicts go with the order", () => {
  const scoreWith = (verdicts: string[], consistent: boolean) => ({ metadata: { verdicts, consistent } });
  assertEquals(
    positionBias([
      scoreWith(["A", "A"], false),
      scoreWith(["A", "A"], false),
      scoreWith(["B", "B"], false),
      scoreWith(["A", "B"], true),
      { metadata: { judge: "other" } },
      {},
    ]),
    { pairs: 4, consistent: 1, firstPreferred: 2, secondPreferred: 1, consistency: 0.25 },
  );
  assertEquals(positionBias([]).consistency, null);
});
