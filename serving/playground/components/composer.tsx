import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../state/chat.ts";
import type { State } from "../state/types.ts";
import { IconButton } from "./button.tsx";
import { focusComposer } from "./focus.ts";
import { Icon } from "./icons.tsx";
import { isInputMethod } from "./input_method.ts";
import { addImages } from "./images.ts";

/** Where one types. Enter sends, Shift and Enter breaks the line. */
export function Composer({ chat, state }: { readonly chat: Chat; readonly state: State }): JSX.Element {
  const { draft, notice, turns } = state;
  const field = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const isDragging = useDrop(chat);
  const last = turns.at(-1);
  const isBusy = last?.role === "assistant" && (last.progress === "waiting" || last.progress === "streaming");
  const isEmpty = draft.text.trim() === "" && draft.images.length === 0;
  useEffect(() => {
    // On a touch screen it would bring up the keyboard.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, []);
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [draft.text]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || isInputMethod(event)) return;
    event.preventDefault();
    // A key that is held down was pressed for what has been done already: on the Stop button, perhaps.
    if (!event.repeat) chat.send();
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData?.files ?? []];
    // Office programs put a picture of a text beside it.
    if (files.length === 0 || event.clipboardData?.getData("text/plain") !== "") return;
    event.preventDefault();
    void addImages(chat, files);
  };
  return (
    <form
      id="composer"
      tabIndex={-1}
      class={isDragging ? "composer dragging" : "composer"}
      aria-label="Message"
      onSubmit={(event) => {
        event.preventDefault();
        // Before it is sent: a setting that is wrong takes the focus.
        focusComposer();
        chat.send();
      }}
    >
      {notice !== undefined && <p class="notice" role="alert">{notice}</p>}
      <div class="composer-box">
        {draft.images.length > 0 && (
          <ul class="images">
            {draft.images.map(({ name, url }, index) => (
              <li key={index}>
                <img src={url} alt={name} />
                <IconButton
                  icon="close"
                  label={`Remove image ${name}`}
                  onClick={() => {
                    chat.setDraft({ images: draft.images.filter((_, other) => other !== index) });
                    field.current?.focus();
                  }}
                />
              </li>
            ))}
          </ul>
        )}
        <textarea
          ref={field}
          id="composer-text"
          class="composer-text"
          aria-label="Message"
          aria-describedby="composer-hint"
          placeholder={isDragging ? "Drop the images here" : "Message the model"}
          rows={1}
          value={draft.text}
          onInput={(event) => chat.setDraft({ text: event.currentTarget.value })}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <div class="composer-actions">
          <IconButton icon="image" label="Add images" onClick={() => chooser.current?.click()} />
          <input
            ref={chooser}
            type="file"
            accept="image/png,image/jpeg,image/gif,image/webp"
            multiple
            hidden
            aria-label="Images"
            onChange={(event) => {
              void addImages(chat, [...event.currentTarget.files ?? []]);
              event.currentTarget.value = "";
            }}
          />
          <span class="hint keys" id="composer-hint">
            <kbd>Enter</kbd> sends, <kbd>Shift</kbd> + <kbd>Enter</kbd> breaks the line, <kbd>Esc</kbd> stops
          </span>
          {/* Keys, lest one button become the other in the middle of a click, which would then send the draft. */}
          {isBusy
            ? (
              <button
                key="stop"
                ref={keepFocus}
                type="button"
                class="send stop"
                aria-label="Stop"
                title="Stop (Esc)"
                onClick={(event) => {
                  event.preventDefault();
                  chat.stop();
                  focusComposer();
                }}
              >
                <Icon name="stop" />
              </button>
            )
            : (
              <button
                key="send"
                ref={keepFocus}
                type="submit"
                class="send"
                aria-label="Send"
                title="Send (Enter)"
                disabled={isEmpty}
                onClick={(event) => {
                  // The second of two quick clicks was meant for the button that was here before.
                  if (event.detail < 2) return;
                  event.preventDefault();
                  focusComposer();
                }}
              >
                <Icon name="send" />
              </button>
            )}
        </div>
      </div>
    </form>
  );
}

/** Hands the focus on when a button that has it goes away, as when the answer ends by itself. */
function keepFocus(button: HTMLButtonElement | null): (() => void) | void {
  if (button === null) return;
  return () => {
    if (document.activeElement === button) focusComposer();
  };
}

/** Takes images that are dropped anywhere on the page; whether some are over it. */
function useDrop(chat: Chat): boolean {
  const [isDragging, setDragging] = useState(false);
  useEffect(() => {
    const onDragOver = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setDragging(true);
    };
    const onDragLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const onDrop = (event: DragEvent) => {
      setDragging(false);
      const files = [...event.dataTransfer?.files ?? []];
      if (files.length === 0) return;
      // Else the browser would leave the page and show the file.
      event.preventDefault();
      void addImages(chat, files);
    };
    addEventListener("dragover", onDragOver);
    addEventListener("dragleave", onDragLeave);
    addEventListener("drop", onDrop);
    return () => {
      removeEventListener("dragover", onDragOver);
      removeEventListener("dragleave", onDragLeave);
      removeEventListener("drop", onDrop);
    };
  }, [chat]);
  return isDragging;
}
