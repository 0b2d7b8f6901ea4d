import type { JSX } from "preact";
import type { Chat } from "../state/chat.ts";
import { chosenOf } from "../state/choice.ts";
import type { AssistantTurn } from "../state/types.ts";

interface ChoiceSwitchProps {
  readonly chat: Chat;
  readonly turn: AssistantTurn;
}

/** Goes through the model's answers where it gave several; the conversation goes on from the one that is shown. */
export function ChoiceSwitch({ chat, turn }: ChoiceSwitchProps): JSX.Element {
  const position = turn.choices.indexOf(chosenOf(turn));
  const count = turn.choices.length;
  const go = (step: number) => {
    const next = turn.choices[(position + step + count) % count];
    if (next !== undefined) chat.choose(turn.id, next.index, `Answer ${turn.choices.indexOf(next) + 1} of ${count}`);
  };
  return (
    <div class="choice-switch" role="group" aria-label="Answers">
      <button type="button" class="button small" aria-label="Previous answer" onClick={() => go(-1)}>←</button>
      <span>Answer {position + 1} of {count}</span>
      <button type="button" class="button small" aria-label="Next answer" onClick={() => go(1)}>→</button>
    </div>
  );
}
