import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ValidationError } from "../../../mod.ts";
import { perTurn, scriptedUser, simulateConversation } from "../../../evaluation/conversation/mod.ts";
import { exactMatch } from "../../../evaluation/scorers/exact_match.ts";
import type { AnsweredTurn, ScoredRow } from "../../../evaluation/scorers/scorer.ts";
import { evaluate } from "../../../evaluation/run/evaluate.ts";
import { complete } from "../../../streaming/_complete.ts";
import { rowOf, scoreOf, ScriptedJudge } from "../judges/_judges.ts";

function turnsOf(...answers: readonly string[]): readonly AnsweredTurn[] {
  return answers.map((answer, index) => ({
    messages: [{ role: "user" as const, content: `Question ${index + 1}` }],
    response: complete(answer, { model: "m" }),
    latency: (index + 1) * 10,
  }));
}

function rowWith(...answers: readonly string[]): ScoredRow {
  return rowOf(answers.at(-1) ?? "", { turns: turnsOf(...answers) });
}

Deno.test("perTurn() passes when each turn passes, by expectations of its own", async () => {
  const scorer = perTurn(exactMatch());
  assertEquals(scorer.name, "exact_match_per_turn");
  const expectations = { turns: [{ expected_response: "one" }, { expected_response: "two" }] };
  const good = await scoreOf(scorer.score({ ...rowWith("one", "two"), expectations }));
  const bad = await scoreOf(scorer.score({ ...rowWith("one", "three"), expectations }));
  assertEquals(good, { value: true, metadata: { turns: [true, true] } });
  assertEquals(bad, { value: false, metadata: { turns: [true, false] } });
});

Deno.test("perTurn() takes the mean of numbers, the worst, or the share that passes", async () => {
  const words = ({ text }: ScoredRow) => text.split(" ").length;
  const row = rowWith("a", "a b", "a b c");
  assertEquals((await scoreOf(perTurn(words).score(row))).value, 2);
  assertEquals((await scoreOf(perTurn(words, { combine: "worst" }).score(row))).value, 1);
  const slow = { name: "slow", better: "lower" as const, score: ({ latency }: ScoredRow) => latency };
  assertEquals((await scoreOf(perTurn(slow, { combine: "worst" }).score(row))).value, 30);
  const brief = ({ text }: ScoredRow) => ({ value: text.length < 4 ? "yes" : "no", rationale: `${text.length}` });
  const share = await scoreOf(perTurn(brief, { combine: "mean" }).score(row));
  assertEquals(share.value, 2 / 3);
  assertEquals(share.rationale, "Turn 1: 1\nTurn 2: 3\nTurn 3: 5");
});

Deno.test("perTurn() gives scores of the turns as well when asked to", async () => {
  const words = ({ text }: ScoredRow) => text.split(" ").length;
  const scores = await perTurn(words, { name: "words", each: true }).score(rowWith("a", "a b"));
  assertEquals(scores, [
    { name: "words", value: 1.5, metadata: { turns: [1, 2] } },
    { name: "words.turn_1", value: 1 },
    { name: "words.turn_2", value: 2 },
  ]);
});

Deno.test("perTurn() leaves out turns that the scorer has nothing to say of", async () => {
  const some = ({ text }: ScoredRow) => text === "" ? null : text.length;
  assertEquals((await scoreOf(perTurn(some).score(rowWith("", "ab")))).value, 2);
  assertEquals((await scoreOf(perTurn(some).score(rowWith("", "")))).value, null);
});

Deno.test("perTurn() refuses scores that it cannot put together", async () => {
  const tone = () => "warm";
  await assertRejects(async () => await perTurn(tone).score(rowWith("a", "b")), ValidationError, "whether they pass");
  const two = () => [{ name: "a", value: 1 }, { name: "b", value: 2 }];
  await assertRejects(async () => await perTurn(two).score(rowWith("a")), ValidationError, "one score");
  // @ts-expect-error: a way that there is not
  assertThrows(() => perTurn(tone, { combine: "best" }), ValidationError, '"combine"');
});

Deno.test("perTurn() scores a simulated conversation that is evaluated as a row", async () => {
  const { row } = await simulateConversation({
    model: new ScriptedJudge("one", "two"),
    opening: "Count",
    user: scriptedUser(["Go on"]),
    expectations: { turns: [{ expected_response: "one" }, { expected_response: "three" }] },
  });
  const result = await evaluate({ data: [row], scorers: [perTurn(exactMatch(), { combine: "mean" })] });
  assertEquals(result.metrics["exact_match_per_turn/mean"], 0.5);
});

Deno.test("perTurn() scores a conversation that evaluate() holds with a user", async () => {
  const result = await evaluate({
    model: new ScriptedJudge("one", "two"),
    data: [{
      inputs: { question: "Count" },
      expectations: { turns: [{ expected_response: "one" }, { expected_response: "two" }] },
    }],
    user: scriptedUser(["Go on"]),
    scorers: [perTurn(exactMatch())],
  });
  assertEquals(result.metrics["exact_match_per_turn/pass_rate"], 1);
});
