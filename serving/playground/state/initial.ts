/** The state at the beginning, and keeping it over a reload. */
import { keep, readKept } from "./storage.ts";
import type { State, Turn } from "./types.ts";
import { asObject, isObject, tryParse } from "../wire/accumulate.ts";

/** Changes when what is kept does. */
const KEY = "chat-model-playground-2";

const EMPTY: State = {
  models: { state: "loading" },
  settings: {
    model: "",
    system: "",
    temperature: "",
    maxTokens: "",
    stop: "",
    seed: "",
    reasoningEffort: "",
    tools: "",
    responseSchema: "",
    customInputs: "",
    moreFields: "",
    stream: true,
  },
  turns: [],
  draft: { text: "", images: [] },
  announcement: "",
  settingsOpen: false,
};

/** The state that was kept in this tab, or an empty one. */
export function initialState(): State {
  const kept = asObject(tryParse(readKept("session", KEY) ?? "null"));
  const settings = { ...EMPTY.settings };
  for (const [name, value] of Object.entries(asObject(kept.settings))) {
    if (name === "stream") settings.stream = value !== false;
    else if (isSettingName(name) && typeof value === "string") settings[name] = value;
  }
  const text = asObject(kept.draft).text;
  return {
    ...EMPTY,
    settings,
    turns: Array.isArray(kept.turns) ? kept.turns.filter(isTurn).map(settle) : [],
    draft: { text: typeof text === "string" ? text : "", images: [] },
  };
}

/**
 * Keeps settings and conversation in this tab. Where there is no room for all, frames go first, then requests (which
 * hold all images before them), then the conversation.
 *
 * @returns Whether there was room for the conversation.
 */
export function keepState({ settings, turns, draft }: State): boolean {
  const keepWith = (turns: readonly Turn[]) =>
    keep("session", KEY, JSON.stringify({ settings, turns, draft: { text: draft.text } }));
  if (keepWith(turns) || keepWith(turns.map(withoutFrames)) || keepWith(turns.map(withoutExchange))) return true;
  keepWith([]);
  return turns.length === 0;
}

function withoutFrames(turn: Turn): Turn {
  return turn.role === "user" ? turn : { ...turn, exchange: { ...turn.exchange, frames: [] } };
}

function withoutExchange(turn: Turn): Turn {
  return turn.role === "user" ? turn : { ...turn, exchange: { request: {}, frames: [] } };
}

function isSettingName(name: string): name is Exclude<keyof State["settings"], "stream"> {
  return name !== "stream" && Object.hasOwn(EMPTY.settings, name);
}

/** What this page wrote itself is taken as it is; a version that writes differently uses another key. */
function isTurn(value: unknown): value is Turn {
  return isObject(value) && (value.role === "user" || value.role === "assistant") && typeof value.id === "string";
}

/** An answer that was being made when the page was left is not made any more. */
function settle(turn: Turn): Turn {
  const isRunning = turn.role === "assistant" && (turn.progress === "waiting" || turn.progress === "streaming");
  return isRunning ? { ...turn, progress: "stopped" } : turn;
}
