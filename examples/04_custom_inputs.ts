// deno run --allow-net=127.0.0.1 --allow-read=. --allow-env=OLLAMA_HOST serve.ts --model examples/04_custom_inputs.ts
import type { ChatMessage, ChatParams, ModelContext, PredictPart } from "@chatmodel/chat-model";
import { ChatModel, ValidationError } from "@chatmodel/chat-model";
import { OllamaChatModel } from "@chatmodel/chat-model/ollama";

const LANGUAGES: ReadonlyMap<unknown, string> = new Map([["en", "English"], ["fr", "French"], ["de", "German"]]);

/** Answers in the language that `custom_inputs.language` names, and says in `custom_outputs` which that was. */
export default class Polyglot extends ChatModel {
  readonly #ollama = new OllamaChatModel({ model: "llama3.2:1b" });

  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    { custom_inputs, ...params }: ChatParams,
  ): AsyncGenerator<PredictPart, void, void> {
    // Custom inputs are any JSON: nothing of them has been checked.
    const { language = "en", ...others } = custom_inputs ?? {};
    const name = LANGUAGES.get(language);
    const issues = Object.keys(others).map((key) => ({ path: `custom_inputs.${key}`, message: "is not known" }));
    if (name === undefined) {
      issues.unshift({ path: "custom_inputs.language", message: `must be one of ${[...LANGUAGES.keys()].join(", ")}` });
    }
    if (issues.length > 0) throw new ValidationError("Cannot read inputs", issues);

    const instruction: ChatMessage = { role: "system", content: `Answer in ${name}.` };
    yield* this.#ollama.predictStream(context, [instruction, ...messages], params);
    yield { custom_outputs: { language } };
  }
}
