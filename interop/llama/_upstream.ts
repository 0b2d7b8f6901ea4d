import { OpenAIChatModel, type OpenAIChatModelOptions } from "../../adapters/openai/mod.ts";
import { loadChatModel, type LoadedChatModel } from "../../mod.ts";
import type { ChatChoice, ChatMessage } from "../../types/mod.ts";

/** A running llama.cpp server. */
export interface LlamaServer {
  /** Its address, without a path. */
  readonly url: string;
  readonly apiKey: string;
}

/** Makes a model of what the server serves. */
export function loadModel(
  { url, apiKey }: LlamaServer,
  options: Partial<OpenAIChatModelOptions> = {},
): Promise<LoadedChatModel> {
  const { upstreams } = options;
  const where = upstreams === undefined ? { baseUrl: `${url}/v1`, apiKey } : {};
  return loadChatModel(new OpenAIChatModel({ model: "scripted", ...where, ...options }));
}

/** A conversation of one message. */
export function say(content: string): { readonly messages: readonly ChatMessage[] } {
  return { messages: [{ role: "user", content }] };
}

/** The one answer. */
export function choiceOf({ choices: [choice] }: { readonly choices: readonly ChatChoice[] }): ChatChoice {
  if (choice === undefined) throw new Error("there is no answer");
  return choice;
}

/** How many answers the server is working on. */
export async function busySlots({ url, apiKey }: LlamaServer): Promise<number> {
  const response = await fetch(`${url}/slots`, { headers: { authorization: `Bearer ${apiKey}` } });
  if (!response.ok) throw new Error(`/slots answers with status ${response.status}: ${await response.text()}`);
  const slots: readonly { readonly is_processing?: unknown }[] = await response.json();
  return slots.filter(({ is_processing }) => is_processing === true).length;
}

/** Waits until the server works on so many answers. */
export async function untilBusy(server: LlamaServer, count: number): Promise<void> {
  const end = performance.now() + 15_000;
  while (await busySlots(server) !== count) {
    if (performance.now() > end) throw new Error(`waited in vain for ${count} busy slots`);
    // Rarely: the server looks only after a second without any event whether a caller is still there, and being asked
    // is one.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  }
}
