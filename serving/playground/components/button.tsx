import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icons.tsx";

type IconName = Parameters<typeof Icon>[0]["name"];

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly class?: string;
  readonly disabled?: boolean;
  readonly "aria-expanded"?: boolean;
}

/** A button that shows an icon only; the label is its name and its tooltip. */
export function IconButton({ icon, label, class: className = "", ...rest }: IconButtonProps): JSX.Element {
  return (
    <button {...rest} type="button" class={`icon-button ${className}`} title={label} aria-label={label}>
      <Icon name={icon} />
    </button>
  );
}

/** A button that copies a text, and says so. */
export function CopyButton({ text, label }: { readonly text: () => string; readonly label: string }): JSX.Element {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 1_500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => copyText(text()).then((copied) => setState(copied ? "copied" : "failed"));
  const words = { idle: label, copied: "Copied", failed: "Copying was refused by the browser" }[state];
  return <IconButton icon={state === "copied" ? "check" : "copy"} label={words} onClick={() => void copy()} />;
}

/** Copies a text; also where the page came over plain HTTP, and browsers know no `navigator.clipboard`. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.readOnly = true;
    area.className = "visually-hidden";
    const parent = document.querySelector("dialog[open]") ?? document.body;
    const before = document.activeElement;
    parent.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    return copied;
  }
}
