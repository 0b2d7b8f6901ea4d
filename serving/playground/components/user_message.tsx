import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../state/chat.ts";
import type { UserTurn } from "../state/types.ts";
import { CopyButton, IconButton } from "./button.tsx";
import { focusComposer } from "./focus.ts";
import { isInputMethod } from "./input_method.ts";
import { pure } from "./pure.ts";

interface UserMessageProps {
  readonly chat: Chat;
  readonly turn: UserTurn;
  readonly isEdited: boolean;
  readonly isBusy: boolean;
}

/** What the user said; can be changed and sent again. */
export const UserMessage = pure(Message);

function Message({ chat, turn, isEdited, isBusy }: UserMessageProps): JSX.Element {
  return (
    <article class="message user" aria-label="You">
      {turn.images.length > 0 && (
        <ul class="images">
          {turn.images.map(({ name, url }, index) => (
            <li key={index}>
              <img src={url} alt={name} />
            </li>
          ))}
        </ul>
      )}
      {isEdited ? <Editor chat={chat} turn={turn} /> : turn.text !== "" && <div class="bubble">{turn.text}</div>}
      {!isEdited && (
        <div class="actions">
          <CopyButton label="Copy message" text={() => turn.text} />
          <IconButton icon="edit" label="Edit and resend" disabled={isBusy} onClick={() => chat.edit(turn.id)} />
          <IconButton
            icon="trash"
            label="Delete message"
            disabled={isBusy}
            onClick={() => {
              chat.remove(turn.id);
              focusComposer();
            }}
          />
        </div>
      )}
    </article>
  );
}

function Editor({ chat, turn }: Pick<UserMessageProps, "chat" | "turn">): JSX.Element {
  const [text, setText] = useState(turn.text);
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const close = () => {
    chat.edit(undefined);
    focusComposer();
  };
  const isEmpty = text.trim() === "" && turn.images.length === 0;
  const send = () => {
    if (isEmpty) return;
    chat.resend(turn.id, text);
    focusComposer();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isInputMethod(event)) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  };
  return (
    <div class="editor">
      <textarea
        ref={field}
        class="textarea"
        aria-label="Edit message"
        rows={Math.min(10, text.split("\n").length + 1)}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="editor-actions">
        <span class="hint">What came after this message goes.</span>
        <button type="button" class="button" onClick={close}>Cancel</button>
        <button type="button" class="button primary" disabled={isEmpty} onClick={send}>Send again</button>
      </div>
    </div>
  );
}
