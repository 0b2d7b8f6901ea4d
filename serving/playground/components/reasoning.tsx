import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icons.tsx";

/** The model's thinking: open while it thinks, folded up when it answers, unless the reader says otherwise. */
export function Reasoning({ text, isRunning }: { readonly text: string; readonly isRunning: boolean }): JSX.Element {
  const [chosen, setChosen] = useState<boolean | undefined>(undefined);
  const isOpen = chosen ?? isRunning;
  return (
    <div class="reasoning">
      <button type="button" class="fold-button" aria-expanded={isOpen} onClick={() => setChosen(!isOpen)}>
        <Icon name="chevron" />
        {isRunning ? "Thinking…" : "Reasoning"}
      </button>
      {isOpen && <div class="reasoning-text">{text}</div>}
    </div>
  );
}
