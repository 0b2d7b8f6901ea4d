import type { JSX } from "preact";
import type { Chat } from "../state/chat.ts";
import { chosenOf } from "../state/choice.ts";
import type { AssistantTurn } from "../state/types.ts";
import { bringsSomething } from "../wire/accumulate.ts";
import { CopyButton, IconButton } from "./button.tsx";
import { ChoiceSwitch } from "./choice_switch.tsx";
import { ErrorBox } from "./error_box.tsx";
import { focusComposer } from "./focus.ts";
import { Markdown } from "./markdown.tsx";
import { pure } from "./pure.ts";
import { Reasoning } from "./reasoning.tsx";
import { Statistics } from "./statistics.tsx";
import { ToolCalls } from "./tool_calls.tsx";

interface AssistantMessageProps {
  readonly chat: Chat;
  readonly turn: AssistantTurn;
  readonly isBusy: boolean;
}

/** What the model said, and how it went. */
export const AssistantMessage = pure(Message);

function Message({ chat, turn, isBusy }: AssistantMessageProps): JSX.Element {
  const { model, progress, choices, customOutputs, failure } = turn;
  const { index, content, reasoning, refusal, calls, finishReason } = chosenOf(turn);
  const isRunning = progress === "waiting" || progress === "streaming";
  const isThinking = isRunning && finishReason === undefined && content === "" && calls.length === 0;
  // The server may not even know a model of that name: then nobody has said anything.
  const isUnanswered = progress === "failed" && !bringsSomething({ ...turn, choices: [] }, turn);
  return (
    <article
      class={`message assistant ${progress}`}
      aria-label={isUnanswered ? `No answer from ${model || "default model"}` : `${model || "Model"} said`}
    >
      <div class="speaker">{isUnanswered && "No answer from "}{model || "default model"}</div>
      {choices.length > 1 && <ChoiceSwitch chat={chat} turn={turn} />}
      {reasoning !== "" && <Reasoning key={`reasoning-${index}`} text={reasoning} isRunning={isThinking} />}
      {content !== "" && <Markdown key={`text-${index}`} text={content} />}
      {refusal !== "" && (
        <p class="refusal">
          <strong>Refused:</strong> {refusal}
        </p>
      )}
      {calls.length > 0 && <ToolCalls chat={chat} turn={turn} isBusy={isBusy} />}
      {progress === "waiting" && <Waiting />}
      {progress === "streaming" && finishReason === undefined && <span class="caret" aria-hidden="true" />}
      {progress === "done" && content === "" && refusal === "" && calls.length === 0 && (
        <p class="quiet">There is no text in the answer. What there is stands in its frames.</p>
      )}
      {progress === "stopped" && <p class="quiet">Stopped.</p>}
      {failure !== undefined && (
        <ErrorBox failure={failure}>
          <button type="button" class="button" disabled={isBusy} onClick={() => retry(chat, turn)}>Retry</button>
        </ErrorBox>
      )}
      {customOutputs !== undefined && (
        <details class="fold">
          <summary>Custom outputs</summary>
          <pre tabIndex={0}>{JSON.stringify(customOutputs, null, 2)}</pre>
        </details>
      )}
      {!isRunning && <Footer chat={chat} turn={turn} isBusy={isBusy} />}
    </article>
  );
}

function Footer({ chat, turn, isBusy }: AssistantMessageProps): JSX.Element {
  const remove = () => {
    chat.remove(turn.id);
    focusComposer();
  };
  // It may have been too large to be kept over a reload.
  const isKnown = Object.keys(turn.exchange.request).length > 0;
  return (
    <div class="foot">
      <Statistics turn={turn} />
      <div class="actions">
        <CopyButton label="Copy answer" text={() => chosenOf(turn).content} />
        {turn.failure === undefined && (
          <IconButton
            icon="retry"
            label="Ask again from here"
            disabled={isBusy}
            onClick={() => retry(chat, turn)}
          />
        )}
        {isKnown && <IconButton icon="code" label="Request, frames and code" onClick={() => chat.inspect(turn.id)} />}
        <IconButton icon="trash" label="Delete answer" disabled={isBusy} onClick={remove} />
      </div>
    </div>
  );
}

function retry(chat: Chat, turn: AssistantTurn): void {
  chat.retry(turn.id);
  focusComposer();
}

function Waiting(): JSX.Element {
  return (
    <div class="waiting" role="img" aria-label="Waiting for the answer">
      <span />
      <span />
      <span />
    </div>
  );
}
