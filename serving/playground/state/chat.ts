/** What can be done with a conversation. */
import { ask, listModels } from "../wire/client.ts";
import { buildRequest, findProblems } from "../wire/request.ts";
import { createId } from "./id.ts";
import type { Store } from "./store.ts";
import { WIDE } from "./wide.ts";
import type { AssistantTurn, Draft, Settings, State, Turn } from "./types.ts";

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
    const last = turns.at(-1);
    if (last?.role === "assistant" && waitsForResults(last)) {
      return this.tell(
        "The model waits for its tools: fill in their results above and send them, or delete the answer",
      );
    }
    if (!this.#mayAsk()) return;
    this.store.update(({ notice: _, ...state }) => ({
      ...state,
      turns: [...turns, { role: "user", id: createId(), ...draft }],
      draft: { text: "", images: [] },
    }));
    void this.#answer();
  }

  /** Puts another text in place of a message, and asks again from there. */
  resend(id: string, text: string): void {
    if (this.isBusy() || !this.#mayAsk()) return;
    this.store.update(({ editing: _, ...state }) => ({
      ...state,
      turns: upTo(state.turns, id, true).map((turn) =>
        turn.id === id && turn.role === "user" ? { ...turn, text } : turn
      ),
    }));
    void this.#answer();
  }

  /** Asks again for an answer; what came after it goes. */
  retry(id: string): void {
    if (this.isBusy() || !this.#mayAsk()) return;
    this.store.update((state) => ({ ...state, turns: upTo(state.turns, id, false) }));
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
    this.#changeAnswer(id, (turn) => ({
      ...turn,
      calls: turn.calls.map((call, index) => index === position ? { ...call, result } : call),
    }));
  }

  /** Hands the results of the calls to the model. */
  sendResults(id: string): void {
    if (this.isBusy() || !this.#mayAsk()) return;
    this.#changeAnswer(id, (turn) => ({ ...turn, answered: true }));
    void this.#answer();
  }

  isBusy(): boolean {
    return this.#controller !== undefined;
  }

  /** Stops the answer that is being made: the connection closes, and the server tells the model. */
  stop(): void {
    this.#controller?.abort();
  }

  /** Whether the settings make sense; if not, the first that does not is shown. */
  #mayAsk(): boolean {
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
    const timer = setInterval(() => this.#changeAnswer(turn.id, () => turn), DRAW_INTERVAL);
    for await (const grown of ask(turn, controller.signal)) turn = grown;
    clearInterval(timer);
    this.#changeAnswer(turn.id, () => turn);
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

  #set(change: Partial<State>): void {
    this.store.update((state) => ({ ...state, ...change }));
  }
}

/** Whether the model made calls whose results it has not got. */
export function waitsForResults({ progress, calls, answered }: AssistantTurn): boolean {
  return progress === "done" && calls.length > 0 && !answered;
}

/** The id of a setting's input. */
export function fieldId(name: string): string {
  return `field-${name}`;
}

function emptyAnswer(settings: Settings, turns: readonly Turn[]): AssistantTurn {
  return {
    role: "assistant",
    id: createId(),
    model: settings.model,
    progress: "waiting",
    content: "",
    reasoning: "",
    refusal: "",
    calls: [],
    answered: false,
    timing: {},
    exchange: { request: buildRequest(settings, turns), frames: [] },
  };
}

function upTo(turns: readonly Turn[], id: string, inclusive: boolean): readonly Turn[] {
  const index = turns.findIndex((turn) => turn.id === id);
  return turns.slice(0, inclusive ? index + 1 : index);
}

function describeEnd({ progress, failure, calls }: AssistantTurn): string {
  if (progress === "failed") return `Error: ${failure?.message ?? "unknown"}`;
  if (progress === "stopped") return "Answer stopped";
  return calls.length > 0 ? "The model calls a tool: give its result" : "Answer complete";
}
