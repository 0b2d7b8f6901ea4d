import { assertEquals, assertRejects } from "@std/assert";
import { ValidationError } from "../../../mod.ts";
import type { ChatMessage } from "../../../types/mod.ts";
import { replayConversation, splitConversation } from "../../../evaluation/conversation/mod.ts";
import { prepareRow } from "../../../evaluation/data/prepare_row.ts";
import { ScriptedJudge } from "../judges/_judges.ts";

const RECORDED: readonly ChatMessage[] = [
  { role: "system", content: "Be brief" },
  { role: "user", content: "One" },
  { role: "assistant", content: "Recorded one" },
  { role: "user", content: "Two" },
  { role: "assistant", content: "Recorded two" },
];

Deno.test("replayConversation() has the model answer after its own answers", async () => {
  const model = new ScriptedJudge("Own one", "Own two");
  const { messages, turns, row } = await replayConversation({ model, conversation: RECORDED });
  assertEquals(model.asked.map((asked) => asked.messages.map(({ content }) => content)), [
    ["Be brief", "One"],
    ["Be brief", "One", "Own one", "Two"],
  ]);
  assertEquals(messages.map(({ content }) => content), ["Be brief", "One", "Own one", "Two", "Own two"]);
  assertEquals(turns.length, 2);
  assertEquals(row.outputs, { messages });
});

Deno.test("replayConversation() has the model answer after the recorded answers", async () => {
  const model = new ScriptedJudge("Own one", "Own two");
  const { messages, turns } = await replayConversation({ model, conversation: RECORDED, history: "recorded" });
  assertEquals(turns.map((turn) => turn.messages), [RECORDED.slice(0, 2), RECORDED.slice(0, 4)]);
  assertEquals(messages.map(({ content }) => content), ["Be brief", "One", "Own one", "Two", "Own two"]);
});

Deno.test("replayConversation() takes recorded tools only with the recorded history", async () => {
  const conversation: readonly ChatMessage[] = [
    { role: "user", content: "Add" },
    {
      role: "assistant",
      tool_calls: [{ id: "call_1", type: "function", function: { name: "add", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "call_1", content: "3" },
    { role: "assistant", content: "It is 3" },
    { role: "user", content: "Again" },
  ];
  const error = await assertRejects(
    () => replayConversation({ model: new ScriptedJudge("a"), conversation }),
    ValidationError,
  );
  assertEquals(error.issues[0]?.path, "conversation.2.role");
  const model = new ScriptedJudge("First", "Second");
  const { turns, messages } = await replayConversation({ model, conversation, history: "recorded" });
  assertEquals(turns.map((turn) => turn.messages.length), [1, 5]);
  assertEquals(messages.map(({ content }) => content), ["Add", "First", "Again", "Second"]);
});

Deno.test("replayConversation() refuses what is no conversation, with all that is wrong", async () => {
  const model = new ScriptedJudge("a");
  const refused = async (conversation: readonly ChatMessage[]) =>
    (await assertRejects(() => replayConversation({ model, conversation }), ValidationError)).issues.map(({ path }) =>
      path
    );
  assertEquals(await refused([]), ["conversation"]);
  assertEquals(await refused([{ role: "assistant", content: "Hi" }]), ["conversation"]);
  // @ts-expect-error: no content, and a role that there is not
  assertEquals((await refused([{ role: "user" }, { role: "boss", content: "a" }])).length, 2);
});

Deno.test("splitConversation() makes rows of turns, with the recorded answers as expected responses", () => {
  const rows = splitConversation(RECORDED, { id: "talk", tags: { from: "log" } });
  assertEquals(rows.map(({ id }) => id), ["talk-1", "talk-2"]);
  const prepared = rows.map((row) => prepareRow(row, "chat"));
  assertEquals(prepared.map(({ messages }) => messages), [RECORDED.slice(0, 2), RECORDED.slice(0, 4)]);
  assertEquals(prepared.map(({ expectations }) => expectations.expected_response), ["Recorded one", "Recorded two"]);
  assertEquals(prepared[0]?.tags, { from: "log" });
});
