import type { JSX } from "preact";
import type { Chat } from "../state/chat.ts";
import { useStore } from "../state/store.ts";
import { nextTheme, theme } from "../state/theme.ts";
import type { State } from "../state/types.ts";
import { IconButton } from "./button.tsx";
import { focusComposer } from "./focus.ts";
import { Icon } from "./icons.tsx";

/** The bar at the top: which model, a new chat, how the page looks. */
export function Header({ chat, state }: { readonly chat: Chat; readonly state: State }): JSX.Element {
  const current = useStore(theme);
  const icon = ({ system: "system", light: "sun", dark: "moon" } as const)[current];
  return (
    <header class="bar">
      <h1 class="brand">
        <span class="mark" aria-hidden="true" />
        <span class="brand-name">Playground</span>
      </h1>
      <ModelChoice chat={chat} state={state} />
      <div class="bar-actions">
        <button
          type="button"
          class="button new-chat"
          aria-label="New chat"
          title="New chat"
          disabled={state.turns.length === 0}
          onClick={() => {
            chat.clear();
            focusComposer();
          }}
        >
          <Icon name="plus" />
          <span class="new-chat-name">New chat</span>
        </button>
        <IconButton icon="code" label="Show the next request as code" onClick={() => chat.inspect("next")} />
        <IconButton icon={icon} label={`Theme: ${current}`} onClick={nextTheme} />
        <IconButton
          icon="settings"
          label="Settings"
          class="settings-toggle"
          aria-expanded={state.settingsOpen}
          onClick={() => chat.openSettings(!state.settingsOpen)}
        />
      </div>
    </header>
  );
}

function ModelChoice({ chat, state }: { readonly chat: Chat; readonly state: State }): JSX.Element {
  const { models, settings } = state;
  if (models.state === "failed") {
    return (
      <div class="model-choice model-failed" role="alert">
        <span title={models.failure.message}>Models: {models.failure.message}</span>
        <button type="button" class="button small" onClick={() => void chat.loadModels()}>Try again</button>
      </div>
    );
  }
  const ids = models.state === "ready" ? models.ids : [];
  return (
    <div class="model-choice">
      <label class="visually-hidden" for="field-model">Model</label>
      <select
        id="field-model"
        class="select"
        value={settings.model}
        disabled={models.state === "loading"}
        onChange={(event) => chat.setting("model", event.currentTarget.value)}
      >
        {models.state === "loading" && <option value={settings.model}>Loading models…</option>}
        {models.state === "ready" && ids.length === 0 && <option value="">No model is served</option>}
        {ids.map((id) => <option key={id} value={id}>{id}</option>)}
      </select>
    </div>
  );
}
