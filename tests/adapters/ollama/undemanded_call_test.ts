import { assertEquals, assertRejects } from "@std/assert";
import { loadChatModel, UpstreamError } from "../../../mod.ts";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import type { ToolChoice } from "../../../types/mod.ts";
import { json, startFakeUpstream } from "../../support/fake_upstream.ts";

const tool = (name: string) => ({ type: "function", function: { name, parameters: { type: "object" } } } as const);

const CHOICES: readonly (readonly [name: string, choice: ToolChoice, called: string])[] = [
  ["another tool than the one named", { type: "function", function: { name: "a" } }, "b"],
  ["a tool that was not offered", "required", "zzz"],
];

for (const [name, tool_choice, called] of CHOICES) {
  for (const stream of [false, true]) {
    Deno.test(`OllamaChatModel refuses a demanded call of ${name} (${stream ? "streamed" : "whole"})`, async () => {
      const record = {
        model: "m",
        created_at: "2026-11-23T08:46:51Z",
        message: { role: "assistant", content: "", tool_calls: [{ function: { name: called, arguments: {} } }] },
        done: true,
        done_reason: "stop",
        prompt_eval_count: 1,
        eval_count: 5,
      };
      await using upstream = await startFakeUpstream(() => json(record));
      const model = await loadChatModel(
        new OllamaChatModel({ model: "m", client: new OllamaClient({ host: upstream.url, retries: 0 }) }),
      );
      const request = {
        messages: [{ role: "user", content: "Hi" }],
        tools: [tool("a"), tool("b")],
        tool_choice,
      } as const;
      const error = await assertRejects(
        async () => {
          if (stream) await Array.fromAsync(model.predictStream(request));
          else await model.predict(request);
        },
        UpstreamError,
        `"${called}"`,
      );
      assertEquals([error.code, error.status], ["tool_call_lost", 502]);
    });
  }
}
