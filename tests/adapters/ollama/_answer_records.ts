/** What the tests of the answers' conversion share. */
import type { AnswerPlan } from "../../../adapters/ollama/convert_request.ts";
import { AnswerConverter, type AnswerOutcome } from "../../../adapters/ollama/convert_response.ts";
import type { AnswerPart } from "../../../streaming/mod.ts";
import { compileParameters } from "../../../adapters/ollama/structured_output.ts";
import type { OllamaChatRecord, OllamaToolCall } from "../../../adapters/ollama/wire.ts";

export const PLAN: AnswerPlan = {
  toolsOffered: false,
  maxCalls: Infinity,
  deprecated: false,
  logprobs: false,
  stripThinking: false,
};

export const FORCED = { checks: new Map([["f", () => {}]]), format: {} };

export const CHECKED = {
  checks: new Map([
    [
      "f",
      compileParameters({
        name: "f",
        parameters: {
          type: "object",
          properties: { city: { type: "string", enum: ["Oslo", "Rome"] }, days: { type: "integer" } },
          required: ["city"],
        },
      }),
    ],
    ["g", compileParameters({ name: "g" })],
  ]),
  format: {},
};

export function text(content: string): OllamaChatRecord {
  return { message: { role: "assistant", content }, done: false };
}

export function done(more: OllamaChatRecord = {}): OllamaChatRecord {
  return { message: { role: "assistant", content: "" }, done: true, done_reason: "stop", ...more };
}

export function call(name: string, input: { readonly [name: string]: unknown }, id?: string): OllamaToolCall {
  return { ...(id !== undefined && { id }), function: { name, arguments: input, index: 0 } };
}

export function convert(
  records: readonly OllamaChatRecord[],
  plan: Partial<AnswerPlan> = {},
): { readonly parts: readonly AnswerPart[]; readonly outcome: AnswerOutcome } {
  const converter = new AnswerConverter({ ...PLAN, ...plan });
  const parts = records.map((record) => converter.push(record)).filter((part) => part !== undefined);
  return { parts, outcome: converter.finish() };
}
