import { assert, assertEquals } from "@std/assert";
import { accumulate } from "../../streaming/mod.ts";
import type { ChatMessage, ToolDefinition } from "../../types/mod.ts";
import type { Report } from "../_report.ts";
import { CALL, GREETING } from "./_scripts.ts";
import { choiceOf, type LlamaServer, loadModel, say } from "./_upstream.ts";

const TOOLS: readonly ToolDefinition[] = [{
  type: "function",
  function: {
    name: CALL.name,
    description: "Tells the weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
}];

/** Checks calls of tools, and answers in a given form. */
export async function checkTools(report: Report, server: LlamaServer): Promise<void> {
  for (const api of ["chat", "responses"] as const) {
    const model = await loadModel(server, { api });
    for (const streamed of [false, true]) {
      const way = `${api}, ${streamed ? "in pieces" : "whole"}`;
      const ask = (request: Parameters<typeof model.predict>[0]) =>
        streamed ? accumulate(model.predictStream(request)) : model.predict(request);
      await report.check(`${way}: a tool is called`, async () => {
        const { message, finish_reason } = choiceOf(await ask({ ...say("<|call|>"), tools: TOOLS }));
        const [call, ...others] = message.tool_calls ?? [];
        assert(call?.type === "function" && others.length === 0, JSON.stringify(message));
        assertEquals([call.function.name, JSON.parse(call.function.arguments)], [CALL.name, CALL.arguments]);
        assertEquals(finish_reason, "tool_calls");
        assert(call.id !== "");
      });
      await report.check(`${way}: the result of a call goes back`, async () => {
        const messages: readonly ChatMessage[] = [
          { role: "user", content: "What is the weather in Rome?" },
          {
            role: "assistant",
            tool_calls: [{
              id: "call_1",
              type: "function",
              function: { name: CALL.name, arguments: JSON.stringify(CALL.arguments) },
            }],
          },
          { role: "tool", tool_call_id: "call_1", content: "sunny" },
        ];
        assertEquals(choiceOf(await ask({ messages, tools: TOOLS })).message.content, GREETING);
      });
      // By its other API the server passes over schemas.
      if (api === "responses") continue;
      await report.check(`${way}: an answer has the form that its schema gives`, async () => {
        const schema = {
          type: "object",
          properties: { a: { const: "x" } },
          required: ["a"],
          additionalProperties: false,
        };
        const { message } = choiceOf(
          await ask({
            ...say("Hi"),
            temperature: 0,
            max_tokens: 200,
            response_format: { type: "json_schema", json_schema: { name: "s", schema, strict: true } },
          }),
        );
        assertEquals(JSON.parse(message.content ?? ""), { a: "x" });
      });
    }
  }
  await report.check("chat: a grammar, which only this server has, is handed on", async () => {
    const model = await loadModel(server);
    const { message } = choiceOf(
      await model.predict({ ...say("Hi"), grammar: 'root ::= "yes" | "no"', temperature: 0 }),
    );
    assert(message.content === "yes" || message.content === "no", `${message.content}`);
  });
}
