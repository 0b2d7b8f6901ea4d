/** Models to save and log, and what the tests of that share. */

import { join } from "@std/path";
import type { LoadedChatModel } from "@chatmodel/chat-model";
import { makeFolder, type TemporaryFolder } from "./_folder.ts";

/** Where the models below note that they are called. */
const CALLS = "chatModelTestCalls";

const NOTE = `function note(call: string): void {
  const calls: unknown = Reflect.get(globalThis, "${CALLS}");
  if (Array.isArray(calls)) calls.push(call);
}`;

/** A chat model of two files that tells what it is equipped with, in one piece and as a stream. */
export const TELLER = `import { ChatModel, type ChatMessage, type ModelContext } from "@chatmodel/chat-model";
import { GREETING } from "./lib/greeting.ts";

${NOTE}

note("import");

export default class Teller extends ChatModel {
  #prompt = "none";
  #limit = 0;
  #calls = 0;

  override async loadContext({ artifacts, modelConfig }: ModelContext): Promise<void> {
    note("loadContext");
    const { prompt } = artifacts;
    if (prompt !== undefined) this.#prompt = await Deno.readTextFile(prompt);
    this.#limit = modelConfig.get("retrieval.limit", 0);
  }

  override predict(context: ModelContext, messages: readonly ChatMessage[]): string {
    note("predict");
    return this.#tell(context, messages);
  }

  override *predictStream(context: ModelContext, messages: readonly ChatMessage[]) {
    note("predictStream");
    yield* this.#tell(context, messages).split(/(?= )/);
  }

  #tell({ artifacts, modelConfig }: ModelContext, messages: readonly ChatMessage[]): string {
    const text = messages.at(-1)?.content;
    if (text === "Fail") throw new Error("Model is broken");
    this.#calls++;
    const limit = this.#limit + "=" + modelConfig.get("retrieval.limit", 0);
    return [GREETING, text, this.#prompt, limit, Object.keys(artifacts).join("+"), this.#calls].join(" ");
  }
}
`;

/** A custom model, as the tutorial's third: input and params. */
export const COUNTER = `import { CustomModel, type ModelContext } from "@chatmodel/chat-model";

${NOTE}

export default class Counter extends CustomModel {
  override predict(context: ModelContext, input: unknown, params: { readonly [name: string]: unknown }) {
    note("predict");
    const letters = String(Reflect.get(Object(input), "text")).length;
    return { letters, ...params, unit: context.modelConfig.get("unit", "none") };
  }
}
`;

/** An author's folder: `model.ts` is {@linkcode TELLER}, `custom.ts` {@linkcode COUNTER}. */
export function authorFolder(files: Readonly<Record<string, string>> = {}): Promise<TemporaryFolder> {
  return makeFolder({
    "model.ts": TELLER,
    "lib/greeting.ts": 'export const GREETING = "Hello";\n',
    "custom.ts": COUNTER,
    "prompt.txt": "Be kind",
    ...files,
  });
}

/** Notes which methods of the models are called, until it is disposed of. */
export function noteCalls(): { readonly calls: string[] } & Disposable {
  const calls: string[] = [];
  Reflect.set(globalThis, CALLS, calls);
  return { calls, [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, CALLS) };
}

/** A request of one message. */
export function ask(content: string): { readonly messages: [{ readonly role: "user"; readonly content: string }] } {
  return { messages: [{ role: "user", content }] };
}

/** The text that a model answers with. */
export async function answer(model: LoadedChatModel, content = "Hi"): Promise<unknown> {
  return (await model.predict(ask(content))).choices[0]?.message.content;
}

/** Names of all that is directly in a folder; none if there is no such folder. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Paths of all files below a folder. */
export async function filesBelow(path: string, below = ""): Promise<string[]> {
  const found = await Promise.all(
    (await Array.fromAsync(Deno.readDir(join(path, below)))).map(({ name, isDirectory }) => {
      const here = below === "" ? name : `${below}/${name}`;
      return isDirectory ? filesBelow(path, here) : [here];
    }),
  );
  return found.flat().sort();
}

/** Copies a folder, as `cp -r` does. */
export async function copyFolder(from: string, to: string): Promise<void> {
  for (const path of await filesBelow(from)) {
    await Deno.mkdir(join(to, path, ".."), { recursive: true });
    await Deno.copyFile(join(from, path), join(to, path));
  }
}
