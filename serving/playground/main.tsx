/** The page's program. */
import { render } from "preact";
import { App } from "./components/app.tsx";
import { Chat } from "./state/chat.ts";
import { initialState, keepState } from "./state/initial.ts";
import { Store } from "./state/store.ts";
import type { State } from "./state/types.ts";
import { applyTheme } from "./state/theme.ts";

/** Milliseconds without a change after which the state is kept. */
const KEEP_DELAY = 400;

applyTheme();
const store = new Store<State>(initialState());
const chat = new Chat(store);

let timer: ReturnType<typeof setTimeout> | undefined;
store.subscribe(() => {
  clearTimeout(timer);
  timer = setTimeout(keep, KEEP_DELAY);
});
addEventListener("pagehide", keep);

function keep(): void {
  if (!keepState(store.value)) chat.tell("This conversation is too large to be kept over a reload of the page");
}

const root = document.getElementById("app");
if (root !== null) render(<App chat={chat} />, root);
void chat.loadModels();
