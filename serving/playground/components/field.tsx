import type { JSX } from "preact";
import { type Chat, fieldId } from "../state/chat.ts";
import type { FieldName, Problems, Settings } from "../state/types.ts";

interface FieldProps {
  readonly chat: Chat;
  readonly settings: Settings;
  readonly problems: Problems;
  readonly name: FieldName;
  readonly label: string;
  /** Lines to show; absent: a single line. */
  readonly rows?: number;
  readonly mono?: boolean;
  readonly placeholder?: string;
  /** What can be filled in at a click. */
  readonly example?: string;
  readonly hint?: string;
  readonly inputMode?: "decimal" | "numeric";
}

/** A setting that is typed, with what is wrong with it below. */
export function Field(props: FieldProps): JSX.Element {
  const { chat, settings, problems, name, label, rows, mono = false, placeholder, example, hint, inputMode } = props;
  const id = fieldId(name);
  const problem = problems[name];
  const described = [hint === undefined ? "" : `${id}-hint`, problem === undefined ? "" : `${id}-problem`];
  const common = {
    id,
    placeholder: placeholder ?? "",
    spellcheck: !mono,
    autocomplete: "off",
    value: settings[name],
    "aria-invalid": problem !== undefined,
    "aria-describedby": described.join(" ").trim() || undefined,
  } as const;
  const change = (value: string) => chat.setting(name, value);
  return (
    <div class={problem === undefined ? "field" : "field invalid"}>
      <div class="field-head">
        <label for={id}>{label}</label>
        {example !== undefined && settings[name] === "" && (
          <button
            type="button"
            class="link-button"
            aria-label={`Example for ${label}`}
            onClick={() => {
              change(example);
              document.getElementById(id)?.focus();
            }}
          >
            Example
          </button>
        )}
      </div>
      {rows === undefined
        ? (
          <input
            {...common}
            class="input"
            inputMode={inputMode ?? "text"}
            onInput={(event) => change(event.currentTarget.value)}
          />
        )
        : (
          <textarea
            {...common}
            class={mono ? "textarea mono" : "textarea"}
            rows={rows}
            onInput={(event) => change(event.currentTarget.value)}
          />
        )}
      {hint !== undefined && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {problem !== undefined && <p class="problem" id={`${id}-problem`} role="alert">{problem}</p>}
    </div>
  );
}
