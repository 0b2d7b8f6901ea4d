import { ChatModel, type ChatMessage, type ModelContext } from "jsr:@chatmodel/chat-model@^0.1.0";
import { echo } from "./lib/echo.ts";

/** Answers with what it is told, after a greeting and before a mark. */
export default class Echo extends ChatModel {
  #greeting = "";

  override async loadContext({ artifacts }: ModelContext): Promise<void> {
    const { greeting } = artifacts;
    if (greeting === undefined) throw new Error('Artifact "greeting" is missing');
    this.#greeting = (await Deno.readTextFile(greeting)).trim();
  }

  override *predictStream({ modelConfig }: ModelContext, messages: readonly ChatMessage[]) {
    yield `${this.#greeting} `;
    yield echo(messages);
    yield modelConfig.get("style.mark", "?");
  }
}
