import { assertEquals } from "@std/assert";
import { ChatModel } from "@chatmodel/chat-model";
import { evaluate, judge, pairwiseJudge } from "@chatmodel/chat-model/evaluation";

class Failing extends ChatModel {
  override predict(): string {
    throw new Error("out of order");
  }
}

class Judge extends ChatModel {
  override predict() {
    return '{"rationale":"It is good","value":5}';
  }
}

Deno.test("judge() and pairwiseJudge() count rows that the model failed on as not passed", async () => {
  const { metrics } = await evaluate({
    model: Failing,
    data: [{ inputs: { question: "Hi" }, expectations: { expected_response: "Hello" } }],
    scorers: [
      judge({
        name: "quality",
        model: Judge,
        instructions: "Is {{ outputs }} good?",
        scale: { min: 1, max: 5, passing: 4 },
      }),
      pairwiseJudge({ model: Judge }),
    ],
    retries: 0,
  });
  assertEquals(metrics["quality/mean"], 1);
  assertEquals(metrics["quality/pass_rate"], 0);
  assertEquals(metrics["pairwise/pass_rate"] ?? metrics["pairwise_win/pass_rate"], 0, Object.keys(metrics).join());
});
