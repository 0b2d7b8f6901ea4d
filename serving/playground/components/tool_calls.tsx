import type { JSX } from "preact";
import type { Chat } from "../state/chat.ts";
import { chosenOf, waitsForResults } from "../state/choice.ts";
import type { AssistantTurn, Call } from "../state/types.ts";
import { tryParse } from "../wire/accumulate.ts";
import { focusComposer } from "./focus.ts";
import { Icon } from "./icons.tsx";

interface ToolCallsProps {
  readonly chat: Chat;
  readonly turn: AssistantTurn;
  readonly isBusy: boolean;
}

/** The calls of an answer, each with a field for its result. */
export function ToolCalls({ chat, turn, isBusy }: ToolCallsProps): JSX.Element {
  const { index: choice, calls, answered } = chosenOf(turn);
  const isOpen = waitsForResults(turn);
  const send = () => {
    chat.sendResults(turn.id);
    focusComposer();
  };
  return (
    <div class="tool-calls">
      {calls.map((call, index) => (
        <ToolCall
          key={`${choice}-${index}`}
          call={call}
          label={labelOf(calls, index)}
          id={`${turn.id}-${choice}-${index}`}
          isOpen={isOpen}
          isAnswered={answered}
          onInput={(result) => chat.setResult(turn.id, index, result)}
          onSend={send}
        />
      ))}
      {isOpen && (
        <div class="tool-actions">
          <button type="button" class="button primary" disabled={isBusy} onClick={send}>
            {calls.length === 1 ? "Send result" : "Send results"}
          </button>
          <span class="hint">Ctrl + Enter</span>
        </div>
      )}
    </div>
  );
}

interface ToolCallProps {
  readonly call: Call;
  /** Its tool's name, unlike that of any other call of the answer. */
  readonly label: string;
  readonly id: string;
  readonly isOpen: boolean;
  readonly isAnswered: boolean;
  readonly onInput: (result: string) => void;
  readonly onSend: () => void;
}

function ToolCall({ call, label, id, isOpen, isAnswered, onInput, onSend }: ToolCallProps): JSX.Element {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onSend();
  };
  return (
    <div class="tool-call" role="group" aria-label={`Call of ${label}`}>
      <div class="tool-head">
        <Icon name="tool" />
        <code class="tool-name">{call.name}</code>
        <span class="tool-id">{call.id}</span>
      </div>
      <pre class="tool-input" tabIndex={0} aria-label="Arguments">{readable(call)}</pre>
      {isOpen && (
        <div class="field">
          <label for={`result-${id}`}>Result of {label}</label>
          <textarea
            id={`result-${id}`}
            class="textarea mono"
            rows={2}
            placeholder="What the tool gives back: text or JSON"
            value={call.result}
            onInput={(event) => onInput(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </div>
      )}
      {isAnswered && (
        <div class="tool-result">
          <span class="tool-result-label">Result</span>
          <pre tabIndex={0} aria-label="Result">{call.result === "" ? "(empty)" : call.result}</pre>
        </div>
      )}
    </div>
  );
}

/** A tool's name, with a number if it is called several times. */
function labelOf(calls: readonly Call[], index: number): string {
  const name = calls[index]?.name ?? "";
  const count = calls.filter((other) => other.name === name).length;
  if (count < 2) return name;
  return `${name} (${calls.slice(0, index + 1).filter((other) => other.name === name).length} of ${count})`;
}

/** Arguments with indentation once they are whole; as they come before that. */
function readable({ type, input }: Call): string {
  const value = type === "function" ? tryParse(input) : undefined;
  return value === undefined ? input : JSON.stringify(value, null, 2);
}
