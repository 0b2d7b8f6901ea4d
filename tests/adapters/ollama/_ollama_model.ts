/** What the tests of the model share. */
import {
  type ChatCompletionChunk,
  type ChatCompletionRequest,
  loadChatModel,
  type LoadedChatModel,
} from "../../../mod.ts";
import { OllamaChatModel, type OllamaChatModelOptions, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { type Answer, type FakeUpstream, json, type UpstreamRequest } from "../../support/fake_upstream.ts";

export const MESSAGES: ChatCompletionRequest["messages"] = [{ role: "user", content: "Hi" }];

export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const WEATHER = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
} as const;

export const DONE = {
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
  prompt_eval_count: 3,
  eval_count: 2,
};

export function answer(content: string, more: object = {}): object {
  return { ...DONE, message: { role: "assistant", content }, ...more };
}

export function text(content: string): object {
  return { message: { role: "assistant", content }, done: false };
}

export async function load(
  upstream: FakeUpstream,
  options: Partial<OllamaChatModelOptions> = {},
): Promise<LoadedChatModel> {
  const client = new OllamaClient({ host: upstream.url, retries: 0 });
  return await loadChatModel(new OllamaChatModel({ model: "m", client, ...options }));
}

export async function read(stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

export function bodies(upstream: FakeUpstream, path = "/api/chat"): { readonly [name: string]: unknown }[] {
  return upstream.requests.filter((request) => request.path === path).map(({ body }) => JSON.parse(body));
}

/** Answers `/api/show` with these capabilities, all else with the chat's answer. */
export function withCapabilities(
  capabilities: readonly string[] | undefined,
  chat: Answer,
): (request: UpstreamRequest) => Answer {
  return (request: UpstreamRequest) =>
    request.path === "/api/show" ? json(capabilities === undefined ? {} : { capabilities }) : chat;
}
