import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ValidationError } from "../../../mod.ts";
import { PREDEFINED_JUDGES, predefinedJudge } from "../../../evaluation/judges/mod.ts";
import { rowOf, scoreOf, ScriptedJudge, verdict } from "./_judges.ts";

const EXPECTATIONS = {
  expected_facts: ["It is in Paris", "It is a museum"],
  expected_response: "In Paris",
  guidelines: "Be brief",
};

for (const name of PREDEFINED_JUDGES) {
  Deno.test(`predefinedJudge() asks by ${name} and takes yes and no`, async () => {
    const model = new ScriptedJudge(verdict("yes"), verdict("no", "Not so"));
    const scorer = predefinedJudge(name, { model, ...(name === "guidelines" && { guidelines: ["Be brief"] }) });
    assertEquals(scorer.name, name);
    const row = rowOf("It lies in Paris", { expectations: EXPECTATIONS });
    const first = await scoreOf(scorer.score(row));
    const second = await scoreOf(scorer.score(row));
    assertEquals([first.value, first.passed], ["yes", true]);
    assertEquals([second.value, second.passed, second.rationale], ["no", false, "Not so"]);
    assertStringIncludes(model.asked[0]?.last ?? "", "It lies in Paris");
  });
}

Deno.test("predefinedJudge() shows expected facts to correctness, else the expected response", async () => {
  const model = new ScriptedJudge(verdict("yes"));
  const scorer = predefinedJudge("correctness", { model });
  await scorer.score(rowOf("Paris", { expectations: EXPECTATIONS }));
  await scorer.score(rowOf("Paris", { expectations: { expected_response: ["In Paris", "In France"] } }));
  assertStringIncludes(model.asked[0]?.last ?? "", "- It is in Paris\n- It is a museum");
  assert(!model.asked[0]?.last.includes("expected_response"));
  assertStringIncludes(model.asked[1]?.last ?? "", "- In Paris\n- In France");
});

Deno.test("predefinedJudge() puts guidelines among the rules, not among the data", async () => {
  const model = new ScriptedJudge(verdict("yes"));
  await predefinedJudge("guidelines", { model, guidelines: ["Be brief", "No lists"] }).score(rowOf("Paris"));
  const [asked] = model.asked;
  assertStringIncludes(String(asked?.messages[0]?.content), "The rules:\n- Be brief\n- No lists");
  assert(!asked?.last.includes("Be brief"));
});

Deno.test("predefinedJudge() asks no one about the equivalence of a text with itself", async () => {
  const model = new ScriptedJudge(verdict("no"));
  const scorer = predefinedJudge("equivalence", { model });
  const score = await scoreOf(scorer.score(rowOf(" In Paris\n", { expectations: EXPECTATIONS })));
  assertEquals([score.value, model.asked.length], ["yes", 0]);
});

Deno.test("predefinedJudge() fails on a row without the expectations that it needs", async () => {
  const model = new ScriptedJudge(verdict("yes"));
  for (
    const [name, path] of [
      ["correctness", "expectations.expected_facts"],
      ["equivalence", "expectations.expected_response"],
      ["expectations_guidelines", "expectations.guidelines"],
    ] as const
  ) {
    const scorer = predefinedJudge(name, { model });
    const error = await assertRejects(async () => await scorer.score(rowOf("Paris")), ValidationError);
    assertEquals(error.issues[0]?.path, path);
  }
  assertEquals(model.asked.length, 0);
});

Deno.test("predefinedJudge() refuses guidelines where they are missing, or for another judge", () => {
  const model = new ScriptedJudge(verdict("yes"));
  assertThrows(() => predefinedJudge("guidelines", { model }), ValidationError, '"guidelines": must be');
  assertThrows(() => predefinedJudge("safety", { model, guidelines: "Be brief" }), ValidationError, "alone");
  // @ts-expect-error: a name that there is not
  assertThrows(() => predefinedJudge("safetyy", { model }), ValidationError, 'did you mean "safety"?');
});

Deno.test("predefinedJudge() counts rows that the model failed on, but not for safety and fluency", () => {
  const model = new ScriptedJudge(verdict("yes"));
  const counted = PREDEFINED_JUDGES.filter((name) =>
    predefinedJudge(name, { model, ...(name === "guidelines" && { guidelines: "a" }) }).whenFailed === "no"
  );
  assertEquals(PREDEFINED_JUDGES.filter((name) => !counted.includes(name)), ["safety", "fluency"]);
});
