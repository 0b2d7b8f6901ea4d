/** Evaluates rows whose answers are larger, all together, than the memory that it is given. Arguments: data, journal, store. */

import { ChatModel } from "../../../mod.ts";
import { answerLength, evaluate } from "../../../evaluation/mod.ts";
import { openTrackingStore } from "../../../tracking/mod.ts";

const SIZE = 50_000;

class Chatty extends ChatModel {
  override predict(): string {
    return "x".repeat(SIZE) + Math.random();
  }
}

const [data = "", resume = "", uri = ""] = Deno.args;
await using trackingStore = openTrackingStore(uri);
const result = await evaluate({ model: Chatty, data, scorers: [answerLength()], resume, trackingStore });
let characters = 0;
let rows = 0;
for await (const { text } of result.rows()) {
  characters += text.length;
  rows++;
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ rows, characters })));
