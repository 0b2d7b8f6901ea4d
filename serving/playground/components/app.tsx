import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Chat } from "../state/chat.ts";
import { useStore } from "../state/store.ts";
import { Composer } from "./composer.tsx";
import { Conversation } from "./conversation.tsx";
import { Header } from "./header.tsx";
import { isInputMethod } from "./input_method.ts";
import { Inspector } from "./inspector.tsx";
import { SettingsPanel } from "./settings_panel.tsx";

/** The whole page. */
export function App({ chat }: { readonly chat: Chat }): JSX.Element {
  const state = useStore(chat.store);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // An open dialog closes itself with Escape; the answer behind it goes on.
      if (event.key !== "Escape" || isInputMethod(event) || document.querySelector("dialog[open]") !== null) return;
      if (chat.isBusy()) chat.stop();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [chat]);
  return (
    <>
      <a class="skip-link" href="#composer-text">Skip to the message field</a>
      <Header chat={chat} state={state} />
      <div class="columns">
        <main class="chat" aria-label="Chat">
          <Conversation chat={chat} state={state} />
          <Composer chat={chat} state={state} />
        </main>
        <SettingsPanel chat={chat} state={state} />
      </div>
      <Inspector chat={chat} state={state} />
      <div class="visually-hidden" role="status" data-testid="announcement">{state.announcement}</div>
    </>
  );
}
