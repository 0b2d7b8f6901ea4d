/** Evaluates a file of rows and takes down what is done: to be killed. Arguments: data, journal. */

import { type ChatMessage, ChatModel, type ModelContext } from "../../../mod.ts";
import { evaluate, exactMatch } from "../../../evaluation/mod.ts";

class Slow extends ChatModel {
  override async predict(_context: ModelContext, messages: readonly ChatMessage[]): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return String(messages.at(-1)?.content);
  }
}

const [data = "", resume = ""] = Deno.args;
const encoder = new TextEncoder();
await evaluate({
  model: Slow,
  data,
  scorers: [exactMatch()],
  resume,
  seed: 7,
  onProgress: ({ done }) => Deno.stdout.writeSync(encoder.encode(`${done}\n`)),
});
