/** Every body about stored chat completions, validated against OpenAI's own schemas. */
import { assertEquals } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { ScriptedChatModel, SCRIPTS } from "../clients/_scripted.ts";
import { checkedApp } from "./_checked_app.ts";

const PATH = "/v1/chat/completions";

Deno.test("stored chat completions are as OpenAI's schema says, whatever was kept", async () => {
  const app = checkedApp({ scripted: ScriptedChatModel, demo: DemoChatModel });
  const scenes = Object.keys(SCRIPTS).filter((scene) => scene !== "envelope");
  for (const scene of scenes) {
    for (const way of [{}, { stream: true }]) {
      const { status, values: [made] } = await app.post(PATH, {
        messages: [
          { role: "system", content: "Be brief" },
          { role: "user", content: [{ type: "text", text: `${scene} please` }], name: "someone" },
        ],
        store: true,
        metadata: { scene },
        ...way,
      });
      assertEquals(status, 200);
      const { id } = Object(made);
      for (
        const [method, path] of [
          ["GET", `${PATH}/${id}`],
          ["GET", `${PATH}/${id}/messages`],
          ["GET", `${PATH}?limit=2&order=desc`],
          ["DELETE", `${PATH}/${id}`],
        ] as const
      ) assertEquals((await app.ask(method, path)).status, 200, `${method} ${scene}`);
      assertEquals((await app.ask("GET", `${PATH}/${id}`)).status, 404);
    }
  }
  const count = scenes.length;
  const { bodies, streams, errors, otherRoles, unknown } = app.tally;
  // That answers carry their labels and messages their names stands in OpenAI's examples, if not in its schemas.
  assertEquals([...unknown].filter((path) => !path.startsWith("CreateChatCompletionStreamResponse")).sort(), [
    "ChatCompletionList /data/*/choices/*/message/reasoning",
    "ChatCompletionList /data/*/choices/*/message/reasoning_content",
    "ChatCompletionList /data/*/custom_outputs",
    "ChatCompletionList /data/*/metadata",
    "ChatCompletionMessageList /data/*/name",
    "CreateChatCompletionResponse /choices/*/message/reasoning",
    "CreateChatCompletionResponse /choices/*/message/reasoning_content",
    "CreateChatCompletionResponse /custom_outputs",
    "CreateChatCompletionResponse /metadata",
  ]);
  assertEquals([bodies, streams, errors, otherRoles], [count + 8 * count, count, 2 * count, 4 * count]);
});
