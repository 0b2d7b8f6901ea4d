/** The answers of a turn. */
import type { AssistantTurn, Choice } from "./types.ts";

/** An answer that has not begun. */
export function emptyChoice(index: number): Choice {
  return { index, content: "", reasoning: "", refusal: "", calls: [], answered: false };
}

/** The answer that is shown, and that the conversation goes on from. */
export function chosenOf({ choices, chosen }: AssistantTurn): Choice {
  return choices.find(({ index }) => index === chosen) ?? choices[0] ?? emptyChoice(chosen);
}

/** Changes one of the answers; it is added if it is not there. */
export function changeChoice(
  turn: AssistantTurn,
  index: number,
  change: (choice: Choice) => Choice,
): AssistantTurn {
  const before = turn.choices.find((choice) => choice.index === index) ?? emptyChoice(index);
  const others = turn.choices.filter((choice) => choice.index !== index);
  return { ...turn, choices: [...others, change(before)].sort((one, other) => one.index - other.index) };
}

/** Whether the model made calls whose results it has not got. */
export function waitsForResults(turn: AssistantTurn): boolean {
  const { calls, answered } = chosenOf(turn);
  return turn.progress === "done" && calls.length > 0 && !answered;
}
