import { assertEquals, assertRejects } from "@std/assert";
import { loadChatModel, UpstreamError } from "../../../mod.ts";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import type { ToolChoice } from "../../../types/mod.ts";
import { accumulate } from "../../../streaming/mod.ts";
import { bodies, load, MESSAGES } from "./_ollama_model.ts";
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

for (const stream of [false, true]) {
  for (const [called, offered] of [["a", "b"], ["zzz", "a"]] as const) {
    Deno.test(`OllamaChatModel refuses a call of "${called}" for one of "${offered}" at the token limit (stream: ${stream})`, async () => {
      const message = { role: "assistant", content: "", tool_calls: [{ function: { name: called, arguments: {} } }] };
      await using upstream = await startFakeUpstream(() => json({ message, done: true, done_reason: "length" }));
      const model = await load(upstream);
      const request = {
        messages: MESSAGES,
        tools: [tool("a"), tool("b")],
        tool_choice: { type: "function", function: { name: offered } },
      } as const;
      const ask = async () => stream ? await accumulate(model.predictStream(request)) : await model.predict(request);
      const error = await assertRejects(ask, UpstreamError, `"${called}"`);
      assertEquals([error.code, error.status], ["tool_call_lost", 502]);
    });
  }
}

/** Calls of a model that was allowed the tool "a" alone, and its text → names that are handed on; an error if none. */
const LEFT_OUT:
  readonly (readonly [calls: readonly string[], content: string, handedOn: readonly string[] | undefined])[] = [
    [["b"], "", undefined],
    [["b", "zzz"], "", undefined],
    [["b"], "Hi", []],
    [["b", "a"], "", ["a"]],
    [["a"], "", ["a"]],
  ];

for (const [calls, content, handedOn] of LEFT_OUT) {
  for (const stream of [false, true]) {
    Deno.test(`OllamaChatModel hands on no call of a tool that is not allowed (${calls}, text: "${content}", stream: ${stream})`, async () => {
      const tool_calls = calls.map((name) => ({ function: { name, arguments: {} } }));
      const record = { message: { role: "assistant", content, tool_calls }, done: true, done_reason: "stop" };
      await using upstream = await startFakeUpstream(() => json({ ...record, eval_count: 5 }));
      const model = await load(upstream);
      const request = {
        messages: MESSAGES,
        tools: [tool("a"), tool("b")],
        tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [tool("a")] } },
      } as const;
      const ask = async () => stream ? await accumulate(model.predictStream(request)) : await model.predict(request);
      if (handedOn === undefined) {
        const error = await assertRejects(ask, UpstreamError, "not one of those that the request allows");
        assertEquals([error.code, error.status, error.retryable], ["tool_call_forbidden", 502, true]);
      } else {
        const { choices: [answer], custom_outputs } = await ask();
        const names = answer?.message.tool_calls?.map((call) => call.type === "function" ? call.function.name : "");
        assertEquals(names ?? [], handedOn);
        const dropped = calls.length - handedOn.length;
        assertEquals(custom_outputs, dropped === 0 ? undefined : { ollama: { dropped_tool_calls: dropped } });
      }
      assertEquals(bodies(upstream).map(({ tools }) => Array.isArray(tools) && tools.length), [1]);
    });
  }
}

const CALL = { function: { name: "a", arguments: {} } };

/** Whether the model says something beside its call → what comes of it. */
for (const content of ["", "Hi"]) {
  for (const stream of [false, true]) {
    for (
      const choice of [{ tools: [tool("a")], tool_choice: "none" }, {
        functions: [{ name: "a" }],
        function_call: "none",
      }] as const
    ) {
      const form = "tools" in choice ? "tool_choice" : "function_call";
      Deno.test(`OllamaChatModel hands on no call with ${form} "none" (text: "${content}", stream: ${stream})`, async () => {
        const message = { role: "assistant", content, tool_calls: [CALL, CALL] };
        const record = { message, done: true, done_reason: "stop", eval_count: 5 };
        await using upstream = await startFakeUpstream(() => json(record));
        const model = await load(upstream);
        const request = { messages: MESSAGES, ...choice };
        const ask = async () => stream ? await accumulate(model.predictStream(request)) : await model.predict(request);
        if (content === "") {
          const error = await assertRejects(ask, UpstreamError, "although the request forbids calls");
          assertEquals([error.code, error.status, error.retryable], ["tool_call_forbidden", 502, true]);
        } else {
          const { choices: [answer], custom_outputs } = await ask();
          assertEquals([answer?.message.content, answer?.finish_reason], [content, "stop"]);
          assertEquals([answer?.message.tool_calls, answer?.message.function_call], [undefined, undefined]);
          assertEquals(custom_outputs, { ollama: { dropped_tool_calls: 2 } });
        }
        assertEquals(bodies(upstream).map(({ tools }) => tools), [undefined]);
      });
    }
  }
}
