/** What tests of `cli.ts evaluate` share: an Ollama that answers as recorded, models, and data. */
import { join } from "@std/path";
import { openModelRegistry } from "../../registry/mod.ts";
import { readRecording, recordedBody } from "../support/replay.ts";
import type { Workplace } from "./_cli.ts";

/** A stand-in for Ollama. */
export interface ScriptedOllama extends AsyncDisposable {
  readonly url: string;
  /** What it does before it answers; nothing at first. */
  hold: () => Promise<void>;
  /** How often it was asked. */
  asked: number;
}

/** What it says, as recorded. */
export const WHOLE_ANSWER = "Hello from a scripted model. How can I help you today?";
/** What it says in five tokens. */
export const CUT_ANSWER = "Hello from a sc";

/** Starts a server that answers as a genuine Ollama did: whole, or cut where five tokens are asked for. */
export function startOllama(): ScriptedOllama {
  const whole = recordedBody(readRecording("chat_stream", "v0.24"));
  const cut = recordedBody(readRecording("num_predict_5_stream", "v0.24"));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { options } = await request.json();
    ollama.asked++;
    await ollama.hold();
    return new Response(options?.num_predict === 5 ? cut : whole, {
      headers: { "content-type": "application/x-ndjson" },
    });
  });
  const ollama: ScriptedOllama = {
    url: `http://127.0.0.1:${server.addr.port}`,
    hold: () => Promise.resolve(),
    asked: 0,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return ollama;
}

/** Rows of which some ask for no more than five tokens. */
export function tutorialRows(): readonly object[] {
  return ["What is MLflow?", "Hi", "Who are you?", "Tell me more", "Good bye"].map((question, index) => ({
    inputs: { messages: [{ role: "user", content: question }], ...(index !== 1 && { max_tokens: 5 }) },
    expectations: { expected_response: index === 1 ? WHOLE_ANSWER : CUT_ANSWER },
  }));
}

/** Writes rows as a file of lines. */
export function writeRows(place: Workplace, rows: readonly object[], name = "rows.jsonl"): Promise<string> {
  return place.write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** Rows that are to be answered as they are asked. */
export function echoRows(texts: readonly string[]): readonly object[] {
  return texts.map((text) => ({ id: text, inputs: text, expectations: { expected_response: text } }));
}

/**
 * A model that answers what it is asked; it fails at "boom". While there is no file `go` beside it, it never answers
 * "wait", and says so.
 */
export const ECHO = `import { type ChatMessage, ChatModel, type ModelContext } from "@chatmodel/chat-model";

export default class Echo extends ChatModel {
  override async predict(_context: ModelContext, messages: readonly ChatMessage[]): Promise<string> {
    const text = String(messages.at(-1)?.content);
    if (text === "boom") throw new Error("Cannot answer");
    const there = await Deno.stat("go").then(() => true, () => false);
    if (text === "wait" && !there) {
      console.error("waiting");
      await new Promise((resolve) => setTimeout(resolve, 2_000_000_000));
    }
    return text;
  }
}
`;

/** The version that an alias stands for. */
export async function aliasOf(place: Workplace, name: string, alias: string): Promise<string | undefined> {
  await using registry = openModelRegistry(`sqlite:///${join(place.path, "mlflow.db")}`);
  return (await registry.getRegisteredModel(name)).aliases[alias];
}

/** Has an alias stand for a version. */
export async function moveAlias(
  place: Workplace,
  { name, alias, version }: { readonly name: string; readonly alias: string; readonly version: string },
): Promise<void> {
  await using registry = openModelRegistry(`sqlite:///${join(place.path, "mlflow.db")}`);
  await registry.setAlias(name, alias, version);
}
