/** What the tests of the client share. */
import { assert, assertRejects } from "@std/assert";
import { OllamaClient, type OllamaClientOptions } from "../../../adapters/ollama/client.ts";
import type { OllamaChatRecord, OllamaChatRequest } from "../../../adapters/ollama/wire.ts";
import { ChatModelError } from "../../../types/mod.ts";
import type { FakeUpstream } from "../../support/fake_upstream.ts";

export const REQUEST: OllamaChatRequest = { model: "plain", messages: [{ role: "user", content: "hi" }] };

export const A: OllamaChatRecord = { model: "plain", message: { role: "assistant", content: "ü" }, done: false };

export const B: OllamaChatRecord = { model: "plain", message: { role: "assistant", content: "€😀" }, done: false };

export const DONE: OllamaChatRecord = {
  model: "plain",
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
};

interface Outcome {
  readonly records: OllamaChatRecord[];
  readonly error?: ChatModelError;
}

export async function stream(upstream: FakeUpstream, options: OllamaClientOptions = {}): Promise<Outcome> {
  const records: OllamaChatRecord[] = [];
  try {
    const client = new OllamaClient({ host: upstream.url, retries: 0, ...options });
    for await (const batch of await client.chatStream(REQUEST)) {
      assert(batch.length > 0, "an empty batch");
      records.push(...batch);
    }
  } catch (error) {
    assert(ChatModelError.isInstance(error), `not one of our errors: ${error}`);
    return { records, error };
  }
  return { records };
}

export async function chatError(upstream: FakeUpstream, options: OllamaClientOptions = {}): Promise<ChatModelError> {
  const client = new OllamaClient({ host: upstream.url, retries: 0, ...options });
  return await assertRejects(() => client.chat(REQUEST), ChatModelError);
}
