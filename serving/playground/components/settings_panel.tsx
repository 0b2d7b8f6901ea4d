import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { apiKey } from "../state/api_key.ts";
import type { Chat } from "../state/chat.ts";
import { useStore } from "../state/store.ts";
import type { State } from "../state/types.ts";
import { findProblems } from "../wire/request.ts";
import { Dialog } from "./dialog.tsx";
import { Field } from "./field.tsx";
import { WIDE } from "../state/wide.ts";
import { useMedia } from "./use_media.ts";

interface SettingsPanelProps {
  readonly chat: Chat;
  readonly state: State;
}

/** The settings: beside the chat where there is room, else in a dialog. */
export function SettingsPanel({ chat, state }: SettingsPanelProps): JSX.Element | null {
  const isWide = useMedia(WIDE);
  if (isWide) {
    return (
      <aside class="settings" aria-label="Settings" tabIndex={0}>
        <Fields chat={chat} state={state} />
      </aside>
    );
  }
  if (!state.settingsOpen) return null;
  return (
    <Dialog title="Settings" class="settings-dialog" onClose={() => chat.openSettings(false)}>
      <Fields chat={chat} state={state} />
    </Dialog>
  );
}

const TOOLS_EXAMPLE = `[
  {
    "name": "get_weather",
    "description": "Tells the weather in a city",
    "parameters": {
      "type": "object",
      "properties": { "city": { "type": "string" } },
      "required": ["city"]
    }
  }
]`;

const SCHEMA_EXAMPLE = `{
  "type": "object",
  "properties": {
    "answer": { "type": "string" },
    "confidence": { "type": "number" }
  },
  "required": ["answer", "confidence"],
  "additionalProperties": false
}`;

function Fields({ chat, state }: SettingsPanelProps): JSX.Element {
  const problems = useMemo(() => findProblems(state.settings), [state.settings]);
  const key = useStore(apiKey);
  const common = { chat, settings: state.settings, problems };
  return (
    <form class="fields" onSubmit={(event) => event.preventDefault()}>
      <Field
        {...common}
        name="system"
        label="System prompt"
        rows={4}
        placeholder="Such as: You are a patient teacher."
      />
      <div class="pair">
        <Field {...common} name="temperature" label="Temperature" placeholder="default" inputMode="decimal" />
        <Field {...common} name="maxTokens" label="Max tokens" placeholder="no limit" inputMode="numeric" />
        <Field {...common} name="seed" label="Seed" placeholder="random" inputMode="numeric" />
        <div class="field">
          <label for="field-reasoningEffort">Reasoning</label>
          <select
            id="field-reasoningEffort"
            class="select"
            value={state.settings.reasoningEffort}
            onChange={(event) => chat.setting("reasoningEffort", event.currentTarget.value)}
          >
            <option value="">default</option>
            {["none", "minimal", "low", "medium", "high"].map((effort) => (
              <option key={effort} value={effort}>{effort}</option>
            ))}
          </select>
        </div>
      </div>
      <Field
        {...common}
        name="stop"
        label="Stop sequences"
        rows={2}
        mono
        hint="One a line; \n stands for a line break."
      />
      <Field {...common} name="tools" label="Tools (JSON)" rows={4} mono example={TOOLS_EXAMPLE} />
      <Field {...common} name="responseSchema" label="Response schema (JSON)" rows={4} mono example={SCHEMA_EXAMPLE} />
      <Field
        {...common}
        name="customInputs"
        label="Custom inputs (JSON)"
        rows={2}
        mono
        placeholder='{"key": "value"}'
      />
      <Field
        {...common}
        name="moreFields"
        label="More request fields (JSON)"
        rows={2}
        mono
        placeholder='{"top_p": 0.9}'
      />
      <div class="check">
        <input
          id="field-stream"
          type="checkbox"
          checked={state.settings.stream}
          onChange={(event) => chat.setting("stream", event.currentTarget.checked)}
        />
        <label for="field-stream">Stream the answer</label>
      </div>
      <div class="field">
        <label for="field-apiKey">API key</label>
        <input
          id="field-apiKey"
          class="input"
          type="password"
          autocomplete="off"
          spellcheck={false}
          placeholder="not needed, unless the server says so"
          aria-describedby="hint-apiKey"
          value={key}
          onInput={(event) => {
            const { value } = event.currentTarget;
            apiKey.update(() => value);
          }}
          onChange={() => {
            // The models may have been refused for want of a key.
            if (state.models.state === "failed") void chat.loadModels();
          }}
        />
        <p class="hint" id="hint-apiKey">Sent as a bearer token; kept in this tab only.</p>
      </div>
    </form>
  );
}
