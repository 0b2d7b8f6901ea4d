import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ChatModel, ChatModelError, type ChatParams, type ModelContext, ValidationError } from "../../../mod.ts";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import type { ChatMessage } from "../../../types/mod.ts";
import { modelUser, scriptedUser, simulateConversation } from "../../../evaluation/conversation/mod.ts";
import { ScriptedJudge } from "../judges/_judges.ts";

/** Says how many messages it was asked with. */
class Counter extends ChatModel {
  readonly asked: { readonly messages: readonly ChatMessage[]; readonly params: ChatParams }[] = [];
  override predict(_context: ModelContext, messages: readonly ChatMessage[], params: ChatParams) {
    this.asked.push({ messages, params });
    return `Answer ${this.asked.length} to ${messages.length}`;
  }
}

Deno.test("simulateConversation() goes on until a script is at its end", async () => {
  const model = new Counter();
  const { messages, turns, endedBy, row } = await simulateConversation({
    model,
    opening: "One",
    user: scriptedUser(["Two", { role: "user", content: "Three" }]),
    params: { temperature: 0 },
    seed: 5,
    id: "talk",
    expectations: { expected_response: "x" },
  });
  const expected: readonly ChatMessage[] = [
    { role: "user", content: "One" },
    { role: "assistant", content: "Answer 1 to 1" },
    { role: "user", content: "Two" },
    { role: "assistant", content: "Answer 2 to 3" },
    { role: "user", content: "Three" },
    { role: "assistant", content: "Answer 3 to 5" },
  ];
  assertEquals(messages, expected);
  assertEquals(turns.map((turn) => turn.messages.length), [1, 3, 5]);
  assertEquals(endedBy, "user");
  assertEquals(row, {
    inputs: { messages: expected.slice(0, 1) },
    outputs: { messages: expected },
    id: "talk",
    expectations: { expected_response: "x" },
  });
  assertEquals(model.asked[2]?.params, { temperature: 0, seed: 5 });
});

Deno.test("simulateConversation() stops where it is told to, or is long enough", async () => {
  const user = () => "More";
  const stopped = await simulateConversation({
    model: new Counter(),
    opening: "One",
    user,
    stop: ({ turn, messages }) => turn === 2 && messages.length === 4,
  });
  assertEquals([stopped.endedBy, stopped.turns.length], ["stop", 2]);
  const long = await simulateConversation({ model: new Counter(), opening: "One", user, maxTurns: 3 });
  assertEquals([long.endedBy, long.turns.length], ["max_turns", 3]);
  const both = await simulateConversation({
    model: new Counter(),
    opening: "One",
    user,
    maxTurns: 2,
    stop: ({ turn }) => turn === 2,
  });
  assertEquals([both.endedBy, both.turns.length], ["stop", 2]);
});

Deno.test("simulateConversation() hands on what the model throws, and the signal's reason", async () => {
  const model = new ScriptedJudge("Fine", new ChatModelError("Cannot answer: tired"));
  await assertRejects(
    () => simulateConversation({ model, opening: "One", user: () => "More" }),
    ChatModelError,
    "Cannot answer: tired",
  );
  const controller = new AbortController();
  const reason = new Error("Enough");
  const user = () => {
    controller.abort(reason);
    return "More";
  };
  const error = await assertRejects(
    () => simulateConversation({ model: new Counter(), opening: "One", user, signal: controller.signal }),
    Error,
  );
  assertEquals(error, reason);
});

Deno.test("simulateConversation() refuses what cannot be begun", async () => {
  const rest = { model: DemoChatModel, user: () => undefined };
  await assertRejects(() => simulateConversation({ ...rest, opening: [] }), ValidationError, '"opening"');
  await assertRejects(
    () => simulateConversation({ ...rest, opening: [{ role: "assistant", content: "Hi" }] }),
    ValidationError,
    "must not end with the assistant",
  );
  await assertRejects(
    () => simulateConversation({ ...rest, opening: "Hi", maxTurns: 0 }),
    ValidationError,
    '"maxTurns"',
  );
});

Deno.test("modelUser() plays the user from the other side until it is done", async () => {
  const player = new ScriptedJudge("And the tower?", "[done]");
  const { messages, endedBy } = await simulateConversation({
    model: new Counter(),
    opening: [{ role: "system", content: "You are a guide" }, { role: "user", content: "Where is the Louvre?" }],
    user: modelUser({ model: player, goal: "Learn where things are", persona: "In a hurry" }),
    seed: 3,
  });
  assertEquals(messages.map(({ role }) => role), ["system", "user", "assistant", "user", "assistant"]);
  assertEquals(endedBy, "user");
  const [first, second] = player.asked;
  assertEquals(first?.messages.slice(1), [
    { role: "assistant", content: "Where is the Louvre?" },
    { role: "user", content: "Answer 1 to 2" },
  ]);
  assertEquals(second?.messages.length, 5);
  const part = String(first?.messages[0]?.content);
  assertStringIncludes(part, "Learn where things are");
  assertStringIncludes(part, "In a hurry");
  assertEquals(part.includes("You are a guide"), false);
  assertEquals(first?.params.seed, 3);
});

Deno.test("modelUser() fails when its model refuses, and refuses to be made of nothing", async () => {
  const user = modelUser({ model: new ScriptedJudge({ refusal: "No" }), goal: "Learn" });
  await assertRejects(
    () => simulateConversation({ model: new Counter(), opening: "Hi", user }),
    ChatModelError,
    "refused to play the user",
  );
  assertThrows(() => modelUser({ model: DemoChatModel, goal: "" }), ValidationError, '"goal"');
});

Deno.test("modelUser() and the demo model talk with each other, the same each time", async () => {
  const talk = () =>
    simulateConversation({
      model: DemoChatModel,
      opening: "Good morning to you all",
      user: modelUser({ model: DemoChatModel, goal: "Say something" }),
      maxTurns: 3,
      seed: 1,
    });
  const [first, second] = [await talk(), await talk()];
  assertEquals([first.turns.length, first.endedBy], [3, "max_turns"]);
  assertEquals(first.messages, second.messages);
});
