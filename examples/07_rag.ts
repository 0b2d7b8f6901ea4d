// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/07_rag.ts
import type { ChatMessage, ChatParams, ModelContext, PredictPart } from "@chatmodel/chat-model";
import { ChatModel, ChatModelError, ValidationError } from "@chatmodel/chat-model";
import { OllamaChatModel, OllamaClient } from "@chatmodel/chat-model/ollama";

const EMBEDDER = "all-minilm";
const MOST_PASSAGES = 3;

interface Passage {
  readonly file: string;
  readonly text: string;
  readonly vector: readonly number[];
}

/** Answers from the texts of a folder: finds the passages nearest to the question, and has the model read them. */
export default class FolderRag extends ChatModel {
  readonly #client = new OllamaClient();
  readonly #ollama = new OllamaChatModel({ model: "llama3.2:1b", client: this.#client });
  #passages: readonly Passage[] = [];

  /** Once, before the first question: a folder that was logged with the model, else the one beside this file. */
  override async loadContext({ artifacts, signal }: ModelContext): Promise<void> {
    const passages = await readPassages(artifacts.texts ?? `${import.meta.dirname}/texts`);
    const vectors = await this.#embed(passages.map(({ text }) => text), signal);
    this.#passages = passages.map((passage, index) => ({ ...passage, vector: vectors[index] ?? [] }));
  }

  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart, void, void> {
    const [vector = []] = await this.#embed([lastQuestion(messages)], context.signal);
    const nearest = this.#passages
      .map((passage) => ({ ...passage, score: dot(passage.vector, vector) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, MOST_PASSAGES);
    const content = "Answer from these passages only; if they do not tell, say so.\n\n" +
      nearest.map(({ file, text }) => `[${file}] ${text}`).join("\n\n");
    yield* this.#ollama.predictStream(context, [{ role: "system", content }, ...messages], params);
    yield { custom_outputs: { sources: nearest.map(({ file, score }) => ({ file, score })) } };
  }

  async #embed(input: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]> {
    // Not cut without a word: a passage of which half is missing would not be found by the other half.
    return (await this.#client.embed({ model: EMBEDDER, input, truncate: false }, { signal })).embeddings;
  }
}

async function readPassages(folder: string): Promise<Omit<Passage, "vector">[]> {
  const passages: Omit<Passage, "vector">[] = [];
  for await (const { name: file, isFile } of Deno.readDir(folder)) {
    if (!isFile || !/\.(?:md|txt)$/.test(file)) continue;
    const paragraphs = (await Deno.readTextFile(`${folder}/${file}`)).split(/\n\s*\n/);
    passages.push(...paragraphs.filter((text) => text.trim() !== "").map((text) => ({ file, text: text.trim() })));
  }
  if (passages.length > 0) return passages;
  throw new ChatModelError(`Cannot load model: there is no text in "${folder}". Put .md or .txt files there`);
}

function lastQuestion(messages: readonly ChatMessage[]): string {
  const position = messages.findLastIndex(({ role }) => role === "user");
  const content = messages[position]?.content;
  if (typeof content === "string" && content !== "") return content;
  const path = position < 0 ? "messages" : `messages.${position}.content`;
  throw new ValidationError("Cannot look up the question", [{ path, message: "must hold a question, as text" }]);
}

/** Ollama's vectors are of unit length, so this is the cosine of the angle between them. */
function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
