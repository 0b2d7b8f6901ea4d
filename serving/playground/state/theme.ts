/** Light, dark, or as the system says. */
import { keep, readKept } from "./storage.ts";
import { Store } from "./store.ts";

/** What can be chosen. */
export type Theme = "system" | "light" | "dark";

const KEY = "chat-model-theme";
const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };

/** What is chosen. */
export const theme: Store<Theme> = new Store(keptTheme());

/** Shows what is chosen, now and after each change. */
export function applyTheme(): void {
  const apply = () => {
    document.documentElement.dataset.theme = theme.value;
  };
  apply();
  theme.subscribe(apply);
}

/** Chooses the next one. */
export function nextTheme(): void {
  theme.update((current) => NEXT[current]);
  keep("local", KEY, theme.value);
}

function keptTheme(): Theme {
  const kept = readKept("local", KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}
