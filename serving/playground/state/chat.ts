/** What can be done with a conversation. */
import { ask, listModels } from "../wire/client.ts";
import { buildRequest, findProblems } from "../wire/request.ts";
import { changeChoice, chosenOf, waitsForResults } from "./choice.ts";
import { createId } from "./id.ts";
import type { Store } from "./store.ts";
import { WIDE } from "./wide.ts";
import type { AssistantTurn, Choice, Draft, Json, Settings, State, Turn } from "./types.ts";

/** Milliseconds between two drawings of an answer that comes in. */
const DRAW_INTERVAL = 40;

/** Everything that a person can do on the page. */
export class Chat {
  readonly store: Store<State>;
  #controller: AbortController | undefined;

  constructor(store: Store<State>) {
    this.store = store;
  }

  /** Asks for the models, and chooses the first unless one is chosen that is there. */
  async loadModels(): Promise<void> {
    this.#set({ models: { state: "loading" } });
    const models = await listModels();
    this.store.update((state) => {
      if (models.state !== "ready") return { ...state, models };
      const { model } = state.settings;
      const chosen = models.ids.includes(model) ? model : models.ids[0] ?? "";
      return { ...state, models, settings: { ...state.settings, model: chosen } };
    });
  }

  setting<Name extends keyof Settings>(name: Name, value: Settings[Name]): void {
    this.store.update((state) => ({ ...state, settings: { ...state.settings, [name]: value } }));
  }

  setDraft(change: Partial<Draft>): void {
    this.store.update(({ notice: _, ...state }) => ({ ...state, draft: { ...state.draft, ...change } }));
  }

  tell(notice: string): void {
    this.#set({ notice });
  }

  openSettings(settingsOpen: boolean): void {
    this.#set({ settingsOpen });
  }

  inspect(id: string | undefined): void {
    this.store.update(({ inspected: _, ...state }) => id === undefined ? state : { ...state, inspected: id });
  }

  /** Sends what is typed. */
  send(): void {
    const { draft, turns } = this.store.value;
    if (this.isBusy() || (draft.text.trim() === "" && draft.images.length === 0)) return;
    if (!this.#mayAsk(turns)) return;
    this.store.update(({ notice: _, ...state }) => ({
      ...state,
      turns: [...turns, { role: "user", id: createId(), ...draft }],
      draft: { text: "", images: [] },
    }));
    void this.#answer();
  }

  /** Puts another text in place of a message, and asks again from there. */
  resend(id: string, text: string): void {
    const kept = upTo(this.store.value.turns, id, true);
    if (this.isBusy() || !this.#mayAsk(kept)) return;
    this.store.update(({ editing: _, ...state }) => ({
      ...state,
      turns: kept.map((turn) => turn.id === id && turn.role === "user" ? { ...turn, text } : turn),
    }));
    void this.#answer();
  }

  /** Asks again for an answer; what came after it goes. */
  retry(id: string): void {
    const kept = upTo(this.store.value.turns, id, false);
    if (this.isBusy() || !this.#mayAsk(kept)) return;
    this.store.update((state) => ({ ...state, turns: kept }));
    void this.#answer();
  }

  edit(id: string | undefined): void {
    this.store.update(({ editing: _, ...state }) => id === undefined ? state : { ...state, editing: id });
  }

  /** Takes a message out of the conversation. */
  remove(id: string): void {
    this.store.update((state) => ({
      ...state,
      turns: state.turns.filter((turn) => turn.id !== id),
      announcement: "Message deleted",
    }));
  }

  /** Begins anew; settings stay. */
  clear(): void {
    this.stop();
    this.#controller = undefined;
    this.store.update(({ editing: _, notice: __, ...state }) => ({
      ...state,
      turns: [],
      draft: { text: "", images: [] },
      announcement: "New chat",
    }));
  }

  setResult(id: string, position: number, result: string): void {
    this.#changeChosen(id, (choice) => ({
      ...choice,
      calls: choice.calls.map((call, index) => index === position ? { ...call, result } : call),
    }));
  }

  /** Shows another of the model's answers, and goes on from that. */
  choose(id: string, chosen: number, announcement: string): void {
    this.#changeAnswer(id, (turn) => ({ ...turn, chosen }));
    this.#set({ announcement });
  }

  /** Hands the results of the calls to the model. */
  sendResults(id: string): void {
    const others = this.store.value.turns.filter((turn) => turn.id !== id);
    if (this.isBusy() || !this.#mayAsk(others)) return;
    this.#changeChosen(id, (choice) => ({ ...choice, answered: true }));
    void this.#answer();
  }

  isBusy(): boolean {
    return this.#controller !== undefined;
  }

  /** Stops the answer that is being made: the connection closes, and the server tells the model. */
  stop(): void {
    this.#controller?.abort();
  }

  /** Whether no tool is waited for and the settings make sense; if not, the first that does not is shown. */
  #mayAsk(turns: readonly Turn[]): boolean {
    if (turns.some((turn) => turn.role === "assistant" && waitsForResults(turn))) {
      this.tell("The model waits for its tools: fill in their results above and send them, or delete the answer");
      return false;
    }
    const [field] = Object.keys(findProblems(this.store.value.settings));
    if (field === undefined) return true;
    this.#set({
      notice: "Not sent: a setting is not valid, see there",
      settingsOpen: !matchMedia(WIDE).matches,
    });
    // After the panel has been drawn.
    setTimeout(() => document.getElementById(fieldId(field))?.focus(), 50);
    return false;
  }

  async #answer(): Promise<void> {
    const { settings, turns } = this.store.value;
    const controller = new AbortController();
    this.#controller = controller;
    let turn = emptyAnswer(settings, turns);
    this.store.update((state) => ({
      ...state,
      turns: [...state.turns, turn],
      announcement: "Waiting for the answer",
    }));
    // Which of the answers is looked at is the reader's choice meanwhile.
    let drawn = turn;
    const draw = () => {
      if (turn === drawn) return;
      drawn = turn;
      this.#changeAnswer(turn.id, ({ chosen }) => ({ ...turn, chosen }));
    };
    const timer = setInterval(draw, DRAW_INTERVAL);
    for await (const grown of ask(turn, controller.signal)) turn = grown;
    clearInterval(timer);
    draw();
    // Another may have begun since, if this one was thrown away.
    if (this.#controller !== controller) return;
    this.#controller = undefined;
    this.#set({ announcement: describeEnd(turn) });
  }

  #changeAnswer(id: string, change: (turn: AssistantTurn) => AssistantTurn): void {
    this.store.update((state) => ({
      ...state,
      turns: state.turns.map((turn) => turn.id === id && turn.role === "assistant" ? change(turn) : turn),
    }));
  }

  #changeChosen(id: string, change: (choice: Choice) => Choice): void {
    this.#changeAnswer(id, (turn) => changeChoice(turn, chosenOf(turn).index, change));
  }

  #set(change: Partial<State>): void {
    this.store.update((state) => ({ ...state, ...change }));
  }
}

/** The id of a setting's input. */
export function fieldId(name: string): string {
  return `field-${name}`;
}

function emptyAnswer(settings: Settings, turns: readonly Turn[]): AssistantTurn {
  const request = buildRequest(settings, turns);
  return {
    role: "assistant",
    id: createId(),
    model: nameOf(request.model),
    progress: "waiting",
    choices: [],
    chosen: 0,
    timing: {},
    exchange: { request, frames: [] },
  };
}

/** The model that a request names; more fields may name another than is chosen, or none that can be. */
function nameOf(model: Json | undefined): string {
  if (model === undefined || model === null) return "";
  return typeof model === "string" ? model : JSON.stringify(model);
}

function upTo(turns: readonly Turn[], id: string, inclusive: boolean): readonly Turn[] {
  const index = turns.findIndex((turn) => turn.id === id);
  return turns.slice(0, inclusive ? index + 1 : index);
}

function describeEnd(turn: AssistantTurn): string {
  const { progress, failure, choices } = turn;
  if (progress === "failed") return `Error: ${failure?.message ?? "unknown"}`;
  if (progress === "stopped") return "Answer stopped";
  if (waitsForResults(turn)) return "The model calls a tool: give its result";
  return choices.length > 1 ? `${choices.length} answers complete` : "Answer complete";
}
