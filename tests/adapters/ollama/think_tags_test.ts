import { assertEquals } from "@std/assert";
import { ThinkTagStripper } from "../../../adapters/ollama/think_tags.ts";

const CASES: readonly (readonly [string, string])[] = [
  ["Hello", "Hello"],
  ["", ""],
  ["<think>x</think>\n\nHello", "Hello"],
  ["  \n<think>x</think>Hello", "Hello"],
  ["<think></think>Hello </think> <think>y</think>", "Hello </think> <think>y</think>"],
  ["<think>never closed</thin", ""],
  ["<thinking>no tag of ours</thinking>", "<thinking>no tag of ours</thinking>"],
  ["Use <think> so: <think>x</think>", "Use <think> so: <think>x</think>"],
  ["<thin", "<thin"],
  ["  ", "  "],
  ["<think>a<think>b</think>c", "c"],
  ["<think>x</think>", ""],
];

for (const [text, expected] of CASES) {
  Deno.test(`ThinkTagStripper makes ${JSON.stringify(expected)} of ${JSON.stringify(text)}, however it is cut`, () => {
    const cuts = [[text], [...text]];
    for (let i = 1; i < text.length; i++) cuts.push([text.slice(0, i), text.slice(i)]);
    for (const pieces of cuts) {
      const stripper = new ThinkTagStripper();
      assertEquals(pieces.map((piece) => stripper.push(piece)).join("") + stripper.end(), expected);
    }
  });
}
